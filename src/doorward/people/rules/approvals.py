"""Four eyes: who may propose, who may approve, and when an approval may be used."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta

from doorward.core.encoding import canonical_json
from doorward.core.permissions import Actor, Permission
from doorward.people.model.approvals import Action, Approval

LASTS = timedelta(hours=24)
LONGEST_REASON = 500
STAFF_PREFIX = "staff_"
BETWEEN_APPROVERS = frozenset({Action.APPOINT_APPROVER, Action.UNSEAT_APPROVER})

RIGHT_FOR: dict[Action, Permission] = {
    Action.AUDIT_EXPIRE: Permission.AUDIT_EXPIRE,
    Action.ERASE_MANY: Permission.PEOPLE_ERASE,
    Action.EXPORT_MANY: Permission.PEOPLE_READ,
    Action.FACE_SEARCH: Permission.GATES_MANAGE,
    Action.APPOINT_APPROVER: Permission.STAFF_MANAGE,
    Action.ROTATE_ROOT: Permission.VAULT_ROTATE,
    Action.UNSEAT_APPROVER: Permission.STAFF_MANAGE,
}


def facts_digest(facts: Mapping[str, object]) -> str:
    """What ties an approval to exactly these facts."""
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
    return action not in BETWEEN_APPROVERS or approvers > 0


def _is_open(approval: Approval, now: datetime) -> bool:
    return not approval.used and not approval.withdrawn and now < approval.expires_at
