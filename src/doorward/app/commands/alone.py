"""What takes two people at the server is done by one at this machine: it is counted, and the log says so.

Whoever has a shell here and the root key is the custodian of the keys, and could take what a rule kept back;
so nothing is stopped, and nothing goes unseen: each such deed is an entry `approval.waived`.
"""

from collections.abc import Collection, Mapping

from doorward.app.house import House
from doorward.gates.model import Gate, SiteRules
from doorward.gates.service.searching import require_second_for_search
from doorward.people.model.approvals import Action
from doorward.people.service.approvals import few_looks, few_persons, require_approval, require_few
from doorward.people.service.looking import looked_at
from doorward.platform.db import Unit


def note_deed(unit: Unit, action: Action, facts: Mapping[str, object]) -> None:
    """One that always takes two people."""
    require_approval(unit, None, action, facts)


def note_many(house: House, unit: Unit, action: Action, subject_ids: Collection[str]) -> None:
    """One that takes two people when it is done to many in a short time."""
    require_few(unit, few_persons(house.settings.four_eyes), action, subject_ids, None)


def note_looks(house: House, unit: Unit, subject_ids: Collection[str]) -> None:
    """Looks at persons or vehicles; many in a short time take two people."""
    refused = looked_at(unit, few_looks(house.settings.four_eyes), subject_ids)
    assert refused is None, "the command line is not held back"


def note_search(house: House, unit: Unit, wanted: SiteRules | Gate) -> None:
    """To begin to look faces up among everybody takes two people."""
    require_second_for_search(unit, house.post.plans.plan_of(unit), wanted, approval_id=None)
