"""Give roles and take them away; an approver takes two people, and the last administrator stays."""

from doorward.audit.service import record
from doorward.core.errors import Conflict, Denied
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Assignment, Role
from doorward.people.rules import roles as rules
from doorward.people.service.approvals import require_approval
from doorward.people.store import roles as store
from doorward.people.store import staff as staff_store
from doorward.platform.db import Unit


def give_role(unit: Unit, account_id: str, role: Role, *, approval_id: str | None = None) -> None:
    """Give a role at the unit's site (`*` is every site); nobody gives a right he lacks there."""
    if staff_store.get_account(unit.rows, account_id).closed:
        raise Conflict("This account is closed: make a new one.")
    require_may_give(unit, role)
    held = Assignment(account_id, unit.site_id, role)
    if rules.is_approver([held]):
        facts = {"account": account_id, "role": role.value, "site": unit.site_id}
        require_approval(unit, approval_id, Action.APPOINT_APPROVER, facts)
    if store.add_assignment(unit.rows, held):
        record(unit, "staff.role_given", subject_id=account_id, role=role)


def take_role(unit: Unit, account_id: str, role: Role, *, approval_id: str | None = None) -> None:
    """Take a role at the unit's site; `Conflict` for the last administrator of every site."""
    held = Assignment(account_id, unit.site_id, role)
    require_may_give(unit, role)
    if held not in store.list_assignments(unit.rows, account_id):
        raise Conflict("This account does not hold this role here.")
    if rules.rules_every_site(held):
        require_not_last(unit, account_id)
    if rules.is_approver([held]):
        require_second_for_unseating(unit, account_id, f"take-{role}", approval_id)
    store.forget_assignment(unit.rows, held)
    record(unit, "staff.role_taken", subject_id=account_id, role=role)


def require_may_give(unit: Unit, role: Role) -> None:
    """`Denied` unless the actor manages staff here and holds all of this role himself."""
    if not rules.may_give(unit.actor, role, unit.site_id):
        raise Denied("You can give or take only roles whose every right you hold here yourself.")


def require_may_manage(unit: Unit, account_id: str) -> None:
    """`Denied` unless the actor manages staff wherever this account holds something, and holds as much."""
    if not rules.may_manage(unit.actor, store.list_assignments(unit.rows, account_id)):
        raise Denied("This account holds rights, or works at sites, beyond yours: ask an administrator.")


def require_not_last(unit: Unit, account_id: str) -> None:
    """`Conflict` if nobody could administer every site without this account."""
    administrators = store.list_administrators(unit.rows)
    if account_id in administrators and rules.leaves_nobody(administrators, account_id):
        raise Conflict("This is the last administrator: appoint another one first.")


def require_second_for_unseating(unit: Unit, account_id: str, deed: str, approval_id: str | None) -> None:
    """Whoever may approve may resign; to unseat or reset him takes two people (facts: `account`, `deed`).

    The deed is named, or whoever is allowed to let a colleague rest could reset him and become him.
    """
    held = store.list_assignments(unit.rows, account_id)
    if not rules.is_approver(held) or account_id == unit.actor.id:
        return
    # Whoever could approve where the account works counts, wherever the actor stands while he does it.
    sites = {one.site_id for one in held}
    facts = {"account": account_id, "deed": deed}
    require_approval(unit, approval_id, Action.UNSEAT_APPROVER, facts, sites=sites)
