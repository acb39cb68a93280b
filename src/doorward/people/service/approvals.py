"""Four eyes: one proposes, another approves, the first does it once."""

from collections.abc import Mapping
from dataclasses import replace

from doorward.audit.service import record
from doorward.core.errors import Denied, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.core.permissions import Permission
from doorward.people.model.approvals import Action, Approval
from doorward.people.rules import approvals as rules
from doorward.people.rules.roles import rights_of
from doorward.people.service.authentication import SYSTEM_PREFIX
from doorward.people.store import api_keys as key_store
from doorward.people.store import approvals as store
from doorward.people.store import roles as role_store
from doorward.people.store.factors import has_second_factor
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault


def propose(unit: Unit, vault: Vault, action: Action, facts: Mapping[str, object], reason: str) -> str:
    """Ask for a second person; returns the approval's id. `facts` are ids and numbers, `reason` is sealed."""
    if not unit.actor.knows(unit.site_id):
        raise NotFound("There is no such site here.")
    if not rules.may_propose(unit.actor, action, unit.site_id):
        raise Denied(f"Only who holds the right {rules.RIGHT_FOR[action]} may propose this.")
    if not 1 <= len(reason.strip()) <= rules.LONGEST_REASON:
        raise Invalid(f"State the reason in at most {rules.LONGEST_REASON} characters.")
    approval_id = new_id("approval")
    approval = Approval(
        approval_id,
        unit.site_id,
        action,
        dict(facts),
        rules.facts_digest(facts),
        vault.seal(Purpose.STAFF, reason_place(approval_id), reason.strip().encode()),
        unit.actor.id,
        _person_behind(unit),
        unit.now + rules.LASTS,
        approved_by=None,
        used=False,
        withdrawn=False,
    )
    store.add_approval(unit.rows, approval)
    record(unit, "approval.proposed", approval=approval_id, action=action, digest=approval.digest)
    return approval_id


def approve(unit: Unit, approval_id: str) -> Approval:
    """Agree, as another person than the one who proposed; `Denied` for anybody else."""
    approval = get_approval(unit, approval_id)
    if not rules.may_approve(approval, unit.actor, unit.now):
        raise Denied("Another member of staff with the right staff:approve must approve this, in time.")
    store.change_approval(unit.rows, approval_id, approved_by=unit.actor.id)
    record(unit, "approval.given", approval=approval_id, action=approval.action, digest=approval.digest)
    return replace(approval, approved_by=unit.actor.id)


def withdraw(unit: Unit, approval_id: str) -> None:
    """Take back or refuse a proposal: its proposer may, and whoever may approve here."""
    approval = get_approval(unit, approval_id)
    own = unit.actor.id in (approval.proposed_by, approval.proposer_account)
    if not own and not unit.actor.may(Permission.STAFF_APPROVE, unit.site_id):
        raise Denied("Only its proposer or who may approve can withdraw this.")
    store.change_approval(unit.rows, approval_id, withdrawn=True)
    record(unit, "approval.withdrawn", approval=approval_id, action=approval.action)


def require_approval(unit: Unit, approval_id: str | None, action: Action, facts_digest: str) -> None:
    """Burn the approval for exactly this deed, or `Denied`.

    The program itself and the command line of whoever holds the root key pass, and the log says so.
    """
    if unit.actor.id.startswith(SYSTEM_PREFIX):
        record(unit, "approval.waived", action=action, digest=facts_digest, because="console")
        return
    if not rules.needs_second_person(action, _other_approvers(unit)):
        record(unit, "approval.waived", action=action, digest=facts_digest, because="nobody else could")
        return
    approval = store.find_approval(unit.rows, unit.site_id, approval_id) if approval_id else None
    if not rules.may_use(approval, unit.actor.id, action, facts_digest, unit.now):
        raise Denied(
            f"This needs a second person: propose {action}, have it approved, and send the approval's id."
        )
    assert approval is not None
    store.change_approval(unit.rows, approval.id, used=True)
    record(unit, "approval.used", approval=approval.id, action=action, digest=facts_digest)


def list_approvals(unit: Unit, wanted: PageRequest) -> list[Approval]:
    """Open proposals of this site, one more than wanted."""
    return store.list_open_approvals(
        unit.rows, unit.site_id, unit.now, after=wanted.after or "", limit=wanted.limit + 1
    )


def get_approval(unit: Unit, approval_id: str) -> Approval:
    """A proposal of this site; `NotFound` if there is none."""
    approval = store.find_approval(unit.rows, unit.site_id, approval_id)
    if approval is None:
        raise NotFound("There is no such proposal here.")
    return approval


def reason_of(vault: Vault, approval: Approval) -> str:
    """Why it was proposed."""
    return vault.unseal(Purpose.STAFF, reason_place(approval.id), approval.sealed_reason).decode()


def reason_place(approval_id: str) -> Place:
    """Where the reason lies."""
    return Place("staff_approvals", "sealed_reason", approval_id)


def _person_behind(unit: Unit) -> str:
    key = key_store.find_api_key(unit.rows, unit.actor.id)
    return key.maker_id if key else unit.actor.id


def _other_approvers(unit: Unit) -> int:
    held = role_store.list_open_assignments(unit.rows, unit.site_id)
    able = {
        one.account_id
        for one in held
        if any(Permission.STAFF_APPROVE in rights for rights in rights_of([one]).values())
    }
    others = able - {unit.actor.id, _person_behind(unit)}
    return sum(1 for account_id in others if has_second_factor(unit.rows, account_id))
