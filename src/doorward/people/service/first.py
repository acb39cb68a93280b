"""The first administrator: one link, one hour, one use."""

from doorward.audit.service import record
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Assignment, Role
from doorward.people.model.staff import Invitation, NewSession
from doorward.people.rules.passwords import require_good_password
from doorward.people.rules.sign_in import one_form_of_login
from doorward.people.service import staff
from doorward.people.store import factors as factor_store
from doorward.people.store import roles as role_store
from doorward.people.store import sessions as session_store
from doorward.people.store import staff as store
from doorward.platform.db import Unit
from doorward.vault.service import Vault


def make_first_link(unit: Unit, vault: Vault) -> str | None:
    """The token of `/setup#TOKEN`, or None once there is an administrator with a second factor.

    Call it at each start: it voids the former token. Print it, never log it.
    """
    if role_store.list_administrators(unit.rows):
        return None
    record(unit, "staff.first_link_made")
    return staff.make_invitation(unit, vault, None)


def check_set_up(unit: Unit, vault: Vault, *, token: str, login: str, password: str) -> str:
    """The password to hash for the first administrator; `Denied` for a bad link."""
    _invited(unit, vault, token)
    return require_good_password(password, login=one_form_of_login(login), has_second_factor=False)


def set_up_first(
    unit: Unit, vault: Vault, *, token: str, login: str, name: str, password_hash: str
) -> NewSession:
    """The first administrator's account and a session to enrol his second factor; `Denied` for a bad link."""
    invitation = _invited(unit, vault, token)
    _forget_abandoned(unit)
    account = staff.add_account(unit, vault, login=login, name=name)
    role_store.add_assignment(unit.rows, Assignment(account.id, EVERY_SITE, Role.ADMINISTRATOR))
    session = staff.set_password(unit, account.id, password_hash)
    if not store.use_invitation(unit.rows, invitation.id):
        raise staff.refused_link()
    record(unit, "staff.first_administrator", subject_id=account.id)
    return session


def _invited(unit: Unit, vault: Vault, token: str) -> Invitation:
    """The link for the first administrator, while there is none."""
    invitation = staff.find_invitation(unit, vault, token)
    if invitation is None or invitation.account_id is not None or role_store.list_administrators(unit.rows):
        raise staff.refused_link()
    return invitation


def _forget_abandoned(unit: Unit) -> None:
    """Whoever began before and never enrolled a second factor was never able to do anything."""
    for account_id in role_store.list_administrators(unit.rows, usable=False):
        for held in role_store.list_assignments(unit.rows, account_id):
            role_store.forget_assignment(unit.rows, held)
        factor_store.forget_factors_of(unit.rows, account_id)
        session_store.end_sessions_of(unit.rows, account_id)
        store.forget_account(unit.rows, account_id)
        record(unit, "staff.abandoned_setup_forgotten", subject_id=account_id)
