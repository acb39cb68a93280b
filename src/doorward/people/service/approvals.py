"""Four eyes: one proposes, another approves, the first does it once."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

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
from doorward.people.store import counted
from doorward.people.store import roles as role_store
from doorward.people.store.factors import has_second_factor
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.platform.settings import FourEyes
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
    exact = rules.one_form_of_facts(action, facts)
    approval_id = new_id("approval")
    approval = Approval(
        approval_id,
        unit.site_id,
        action,
        exact,
        rules.facts_digest(exact),
        vault.seal(Purpose.STAFF, reason_place(approval_id), reason.strip().encode()),
        unit.actor.id,
        person_behind(unit),
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


def require_approval(
    unit: Unit,
    approval_id: str | None,
    action: Action,
    facts: Mapping[str, object],
    *,
    sites: Collection[str] = (),
) -> None:
    """Burn the approval for exactly this deed, or `Denied`. `sites` are others that it reaches into.

    The program itself and the command line of whoever holds the root key pass, and the log says so.
    """
    digest = rules.facts_digest(rules.one_form_of_facts(action, facts))
    if unit.actor.id.startswith(SYSTEM_PREFIX):
        record(unit, "approval.waived", action=action, digest=digest, because="console")
        return
    able = other_approvers(unit).union(*(other_approvers(replace(unit, site_id=one)) for one in sites))
    if not rules.needs_second_person(action, len(able)):
        record(unit, "approval.waived", action=action, digest=digest, because="nobody else could")
        return
    approval = store.find_approval(unit.rows, unit.site_id, approval_id) if approval_id else None
    # Whoever approved and has lost the right since, or left, does not count any more.
    if (
        not rules.may_use(approval, unit.actor.id, action, digest, unit.now)
        or _approver_of(approval) not in able
    ):
        raise Denied(rules.in_words(action, facts))
    assert approval is not None
    store.change_approval(unit.rows, approval.id, used=True)
    record(unit, "approval.used", approval=approval.id, action=action, digest=digest)


def second_person(unit: Unit, action: str, facts: Mapping[str, object], approval_id: str | None) -> None:
    """For the rooms below, which know actions by name: satisfies `audit.ports.SecondPerson`."""
    require_approval(unit, approval_id, Action(action), facts)


def require_few(
    unit: Unit, bound: rules.Bound, action: Action, person_ids: Collection[str], approval_id: str | None
) -> None:
    """Count a deed to these persons or vehicles; beyond the bound a second person must agree to exactly them.

    What was agreed to is not counted. Keys count for the person who made them. The command line is counted
    like anybody, and not stopped: beyond the bound the log says that it was done alone.
    """
    who, wanted = person_behind(unit), set(person_ids)
    if rules.is_within(bound, counted.list_counted(unit.rows, who, action, unit.now - bound.within), wanted):
        counted.add_counted(unit.rows, who, action, sorted(wanted), unit.now)
    else:
        (named,) = rules.FACTS_OF[action]
        require_approval(unit, approval_id, action, {named: sorted(wanted)})


def few_persons(settings: FourEyes) -> rules.Bound:
    """Of how many persons one may erase, or export, in a while without a second."""
    return rules.Bound(settings.persons, timedelta(minutes=settings.minutes))


def few_looks(settings: FourEyes) -> rules.Bound:
    """At how many persons and vehicles one may look in a while without a second."""
    return rules.Bound(settings.looks, timedelta(minutes=settings.minutes))


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


def forget_ended_approvals(unit: Unit) -> None:
    """For the schedule: a proposal whose time is over goes, its reason with it; the log keeps the deed."""
    store.forget_ended_approvals(unit.rows, unit.now)


def reason_of(unit: Unit, vault: Vault, approval: Approval) -> str:
    """Why it was proposed, in the proposer's own words; the look is recorded."""
    record(unit, "approval.read", approval=approval.id)
    return vault.unseal(Purpose.STAFF, reason_place(approval.id), approval.sealed_reason).decode()


def reason_place(approval_id: str) -> Place:
    """Where the reason lies."""
    return Place("staff_approvals", "sealed_reason", approval_id)


def person_behind(unit: Unit) -> str:
    """The account of the actor, or of whoever made the key that acts."""
    key = key_store.find_api_key(unit.rows, unit.actor.id)
    return key.maker_id if key else unit.actor.id


def other_approvers(unit: Unit) -> set[str]:
    """Who else could be the second person here."""
    held = role_store.list_open_assignments(unit.rows, unit.site_id)
    able = {
        one.account_id
        for one in held
        if any(Permission.STAFF_APPROVE in rights for rights in rights_of([one]).values())
    }
    others = able - {unit.actor.id, person_behind(unit)}
    return {account_id for account_id in others if has_second_factor(unit.rows, account_id)}


def _approver_of(approval: Approval | None) -> str | None:
    return approval.approved_by if approval else None
