"""Four eyes: who may propose, who may approve, and when an approval may be used."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from doorward.core.encoding import canonical_json
from doorward.core.errors import Invalid
from doorward.core.permissions import Actor, Permission
from doorward.people.model.approvals import Action, Approval

LASTS = timedelta(hours=24)
LONGEST_REASON = 500
STAFF_PREFIX = "staff_"
ALONE_IF_NOBODY_ELSE_COULD = frozenset({Action.APPOINT_APPROVER, Action.ENROL_ALIKE, Action.UNSEAT_APPROVER})

RIGHT_FOR: dict[Action, Permission] = {
    Action.AUDIT_EXPIRE: Permission.AUDIT_EXPIRE,
    Action.ENROL_ALIKE: Permission.PEOPLE_ENROL,
    Action.ERASE_MANY: Permission.PEOPLE_ERASE,
    Action.ERASE_VEHICLES: Permission.VEHICLES_MANAGE,
    Action.EXPORT_MANY: Permission.PEOPLE_MANAGE,
    Action.FACE_SEARCH: Permission.GATES_MANAGE,
    Action.LOOK_ON: Permission.PEOPLE_READ,
    Action.APPOINT_APPROVER: Permission.STAFF_MANAGE,
    Action.RENEW_GALLERY: Permission.VAULT_ROTATE,
    Action.ROTATE_ROOT: Permission.VAULT_ROTATE,
    Action.TRUST_MATCHER: Permission.VAULT_ROTATE,
    Action.UNSEAT_APPROVER: Permission.STAFF_MANAGE,
}

# Exactly these are told when it is proposed and compared when it is done.
FACTS_OF: dict[Action, frozenset[str]] = {
    Action.APPOINT_APPROVER: frozenset({"account", "role", "site"}),
    Action.AUDIT_EXPIRE: frozenset({"before"}),
    Action.ENROL_ALIKE: frozenset({"person", "alike"}),
    Action.ERASE_MANY: frozenset({"persons"}),
    Action.ERASE_VEHICLES: frozenset({"vehicles"}),
    Action.EXPORT_MANY: frozenset({"persons"}),
    Action.FACE_SEARCH: frozenset({"target"}),
    Action.LOOK_ON: frozenset({"account"}),
    Action.RENEW_GALLERY: frozenset({"gallery"}),
    Action.ROTATE_ROOT: frozenset({"custodian", "ring"}),
    Action.TRUST_MATCHER: frozenset({"gallery"}),
    Action.UNSEAT_APPROVER: frozenset({"account", "deed"}),
}
FACT = re.compile(r"[A-Za-z0-9_*:.+-]{1,80}")
LONGEST_SHOWN = 300
COUNTED_ONCE_IN = timedelta(minutes=1)  # a page that renews itself counts its people once in a while


@dataclass(frozen=True, slots=True)
class Bound:
    """As many different persons may one do something to, within a while, without a second person."""

    persons: int
    within: timedelta


def one_form_of_facts(action: Action, facts: Mapping[str, object]) -> dict[str, object]:
    """The facts in the form they are compared in; `Invalid` names those that this action has.

    They are ids, codes, numbers and instants, since they are shown and kept as they are: free text is sealed.
    """
    if set(facts) != FACTS_OF[action]:
        raise Invalid(f"The facts of {action} are: {', '.join(sorted(FACTS_OF[action]))}.")
    return {name: _one_form(name, value) for name, value in facts.items()}


def in_words(action: Action, facts: Mapping[str, object]) -> str:
    """What to do when a second person is needed."""
    told = canonical_json(one_form_of_facts(action, facts)).decode()
    exact = told if len(told) <= LONGEST_SHOWN else ", ".join(sorted(facts))
    return (
        f"This needs a second person: propose {action} with the facts {exact}, let another member of staff "
        f"approve it, and send its id as approval_id."
    )


def look_on_in_words(bound: Bound, account_id: str) -> str:
    """What to do after a look too many."""
    minutes = bound.within.total_seconds() / 60
    return (
        f"You looked at {bound.persons} different people and vehicles in {minutes:g} minutes, and the log "
        f"says so. Wait, or let a second person agree: propose {Action.LOOK_ON} with the facts "
        f'{{"account":"{account_id}"}} and send its id to .../persons/looks once it is approved.'
    )


def is_within(bound: Bound, done_to: set[str], wanted: set[str]) -> bool:
    """Whether so many different persons are few."""
    return len(done_to | wanted) <= bound.persons


def facts_digest(facts: Mapping[str, object]) -> str:
    """What ties an approval to exactly these facts, which are in their one form."""
    return hashlib.sha256(canonical_json(dict(facts))).hexdigest()


def may_propose(actor: Actor, action: Action, site_id: str) -> bool:
    """Whether the actor could do this, were there a second person."""
    return actor.may(RIGHT_FOR[action], site_id)


def may_approve(approval: Approval, actor: Actor, now: datetime) -> bool:
    """Another person, in person, with the right to approve, in time."""
    if not actor.id.startswith(STAFF_PREFIX):
        return False
    if actor.id in (approval.proposed_by, approval.proposer_account):
        return False
    if not actor.may(Permission.STAFF_APPROVE, approval.site_id):
        return False
    return _is_open(approval, now) and approval.approved_by is None


def may_use(approval: Approval | None, actor_id: str, action: Action, digest: str, now: datetime) -> bool:
    """Approved, by the one who proposed it, for exactly this, in time, once."""
    if approval is None or approval.approved_by is None:
        return False
    if approval.proposed_by != actor_id:
        return False
    if approval.action is not action or approval.digest != digest:
        return False
    return _is_open(approval, now)


def needs_second_person(action: Action, approvers: int) -> bool:
    """Whether one person alone may not do this.

    Only while nobody else could approve may the one who can appoint a second; all else waits for two.
    """
    return action not in ALONE_IF_NOBODY_ELSE_COULD or approvers > 0


def _one_form(name: str, value: object) -> object:
    if isinstance(value, list | tuple | set | frozenset):
        return sorted({_plain(one) for one in value})
    if name == "before":
        return _instant(value)
    return value if isinstance(value, int) else _plain(value)


def _plain(value: object) -> str:
    if not FACT.fullmatch(str(value)):
        raise Invalid("Facts are ids, codes and numbers: say anything else in the reason.")
    return str(value)


def _instant(value: object) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid("Write the instant as 2030-01-31T12:00:00Z.") from error
    if moment.tzinfo is None:
        raise Invalid("Write the instant with its time zone, as 2030-01-31T12:00:00Z.")
    return moment.astimezone(UTC).isoformat()


def _is_open(approval: Approval, now: datetime) -> bool:
    return not approval.used and not approval.withdrawn and now < approval.expires_at
