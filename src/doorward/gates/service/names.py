"""Names for a roll-call; each is a look at a person and recorded as one."""

from doorward.core.errors import NotFound, Tampered
from doorward.gates.service.rollcalls import Muster
from doorward.people.service.looking import count_looks
from doorward.people.service.persons import view_person
from doorward.platform.db import Unit
from doorward.vault.service import Vault

PURPOSE = "roll-call"


def names_of(unit: Unit, vault: Vault, muster: Muster) -> dict[str, str]:
    """The names of those a roll-call looks for, without those whose name is not known or cannot be read."""
    found: dict[str, str] = {}
    for one in muster.people:
        try:
            found[one.subject_id] = view_person(unit, vault, one.subject_id, purpose=PURPOSE).name
        except (NotFound, Tampered):  # a vehicle, somebody erased, a bad record: the list still shows the id
            continue
    count_looks(unit, found)
    return found
