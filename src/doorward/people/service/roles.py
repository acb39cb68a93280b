"""Give roles and take them away; an administrator takes two people, and the last one stays."""

from doorward.audit.service import record
from doorward.core.errors import Conflict, Denied
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Assignment, Role
from doorward.people.rules import roles as rules
from doorward.people.rules.approvals import facts_digest
from doorward.people.service.approvals import require_approval
from doorward.people.store import roles as store
from doorward.people.store import staff as staff_store
from doorward.platform.db import Unit


def give_role(unit: Unit, account_id: str, role: Role, *, approval_id: str | None = None) -> None:
    """Give a role at the unit's site (`*` is every site); nobody gives a right he lacks there."""
    staff_store.get_account(unit.rows, account_id)
    require_may_give(unit, role)
    if role is Role.ADMINISTRATOR:
        require_approval(unit, approval_id, Action.GIVE_ADMINISTRATOR, administrator_digest(unit, account_id))
    if store.add_assignment(unit.rows, Assignment(account_id, unit.site_id, role)):
        record(unit, "staff.role_given", subject_id=account_id, role=role)


def take_role(unit: Unit, account_id: str, role: Role, *, approval_id: str | None = None) -> None:
    """Take a role at the unit's site; `Conflict` for the last administrator of every site."""
    held = Assignment(account_id, unit.site_id, role)
    require_may_give(unit, role)
    if held not in store.list_assignments(unit.rows, account_id):
        raise Conflict("This account does not hold this role here.")
    if rules.rules_every_site(held):
        require_not_last(unit, account_id)
    if role is Role.ADMINISTRATOR:
        require_second_for_unseating(unit, account_id, approval_id)
    store.forget_assignment(unit.rows, held)
    record(unit, "staff.role_taken", subject_id=account_id, role=role)


def administrator_digest(unit: Unit, account_id: str) -> str:
    """What an approval to appoint or unseat this administrator here is tied to: `account` and `site`."""
    return facts_digest({"account": account_id, "site": unit.site_id})


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


def require_second_for_unseating(unit: Unit, account_id: str, approval_id: str | None) -> None:
    """An administrator may resign; to unseat another takes two people."""
    held = store.list_assignments(unit.rows, account_id)
    if not rules.is_administrator(held) or account_id == unit.actor.id:
        return
    require_approval(unit, approval_id, Action.UNSEAT_ADMINISTRATOR, administrator_digest(unit, account_id))
