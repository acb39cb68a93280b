"""Looks at many people in a short time: counted against whoever looks, told, and stopped."""

from collections.abc import Iterable

from doorward.audit.service import record
from doorward.core.errors import Denied
from doorward.people.model.approvals import Action
from doorward.people.rules import approvals as rules
from doorward.people.service.approvals import person_behind, require_approval
from doorward.people.service.authentication import SYSTEM_PREFIX
from doorward.people.store import counted
from doorward.platform.db import Unit


def looked_at(unit: Unit, bound: rules.Bound, subject_ids: Iterable[str]) -> Denied | None:
    """Count a look at these persons or vehicles; if it is one too many, what to raise after this unit.

    It is a value, since raised here it would take the alarm in the log with it. Keys count for the person
    who made them. The command line of whoever holds the root key is not stopped, and the log says that it
    looked on alone.
    """
    who, wanted = person_behind(unit), set(subject_ids)
    done = counted.list_counted(unit.rows, who, Action.LOOK_ON, unit.now - bound.within)
    if wanted <= done or rules.is_within(bound, done, wanted):
        counted.add_counted(unit.rows, who, Action.LOOK_ON, sorted(wanted - done), unit.now)
        return None
    if unit.actor.id.startswith(SYSTEM_PREFIX):
        require_approval(unit, None, Action.LOOK_ON, {"account": who})
        counted.forget_counted(unit.rows, who, Action.LOOK_ON)
        counted.add_counted(unit.rows, who, Action.LOOK_ON, sorted(wanted), unit.now)
        return None
    record(unit, "people.looked_too_often", account=who, looks=len(done))
    return Denied(rules.look_on_in_words(bound, who))


def count_looks(unit: Unit, subject_ids: Iterable[str]) -> None:
    """Only count them: in an emergency nobody is kept from the list of the missing."""
    who = person_behind(unit)
    done = counted.list_counted(unit.rows, who, Action.LOOK_ON, unit.now - rules.COUNTED_ONCE_IN)
    counted.add_counted(unit.rows, who, Action.LOOK_ON, sorted(set(subject_ids) - done), unit.now)


def look_on(unit: Unit, approval_id: str) -> None:
    """Begin to count anew, if a second person agreed that this one looks on."""
    who = person_behind(unit)
    require_approval(unit, approval_id, Action.LOOK_ON, {"account": who})
    counted.forget_counted(unit.rows, who, Action.LOOK_ON)
