"""Staff accounts: invite, read, reset, close, and change one's own password."""

import secrets

from doorward.audit.service import record
from doorward.core.encoding import to_text
from doorward.core.errors import Conflict, Denied, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Assignment, Role
from doorward.people.model.staff import Account, Invitation, NewSession, Session, Staff, Stage
from doorward.people.rules.passwords import require_good_password
from doorward.people.rules.roles import is_approver
from doorward.people.rules.sign_in import (
    INVITATION_LASTS,
    LOGIN_LIMIT,
    may_use_invitation,
    one_form_of_login,
)
from doorward.people.service import roles
from doorward.people.service.authentication import SYSTEM_PREFIX
from doorward.people.service.sessions import begin_anew
from doorward.people.service.sign_in import count_failure
from doorward.people.store import factors as factor_store
from doorward.people.store import roles as role_store
from doorward.people.store import sessions as session_store
from doorward.people.store import staff as store
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault

TOKEN_BYTES = 32
LONGEST_NAME = 100


def create_staff(unit: Unit, vault: Vault, *, login: str, name: str, role: Role) -> tuple[str, str]:
    """A new account with one role at the unit's site; its id and the one-time token for its owner.

    An account never begins as one that may approve: that is given afterwards, by two people, or on the
    command line of whoever holds the root key.
    """
    if is_approver([Assignment("", unit.site_id, role)]) and not _is_console(unit):
        raise Invalid("Create the account with another role, then give this one with an approval.")
    roles.require_may_give(unit, role)
    account = add_account(unit, vault, login=login, name=name)
    roles.give_role(unit, account.id, role)
    return account.id, _invite(unit, vault, account.id)


def add_account(unit: Unit, vault: Vault, *, login: str, name: str) -> Account:
    """An account without roles and without a password; `Conflict` if the login is taken."""
    plain, name = one_form_of_login(login), name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters.")
    if store.find_account_by_login(unit.rows, vault.blinds(Purpose.BLIND_LOGIN, plain)) is not None:
        raise Conflict("This login is taken: choose another.")
    account_id = new_id("staff")
    account = Account(
        account_id,
        vault.seal(Purpose.STAFF, place(account_id, "sealed_login"), plain.encode()),
        vault.seal(Purpose.STAFF, place(account_id, "sealed_name"), name.encode()),
        password_hash=None,
        generation=1,
        closed=False,
        made_at=unit.now,
    )
    store.add_account(unit.rows, account, vault.blind(Purpose.BLIND_LOGIN, plain))
    record(unit, "staff.created", subject_id=account_id)
    return account


def reset_account(unit: Unit, vault: Vault, account_id: str, *, approval_id: str | None = None) -> str:
    """Void password and second factors and end all sessions; the one-time token to begin again."""
    account = store.get_account(unit.rows, account_id)
    roles.require_may_manage(unit, account_id)
    if account.closed:
        raise Conflict("This account is closed: make a new one.")
    if not _is_console(unit):
        roles.require_not_last(unit, account_id)
    roles.require_second_for_unseating(unit, account_id, "reset", approval_id)
    store.change_account(unit.rows, account_id, password_hash=None)
    factor_store.forget_factors_of(unit.rows, account_id)
    store.raise_generation(unit.rows, account_id)
    session_store.end_sessions_of(unit.rows, account_id)
    record(unit, "staff.reset", subject_id=account_id)
    return _invite(unit, vault, account_id)


def close_account(unit: Unit, account_id: str, *, approval_id: str | None = None) -> None:
    """End an account and everything it holds; the last administrator's stays."""
    store.get_account(unit.rows, account_id)
    roles.require_may_manage(unit, account_id)
    roles.require_not_last(unit, account_id)
    roles.require_second_for_unseating(unit, account_id, "close", approval_id)
    for held in role_store.list_assignments(unit.rows, account_id):
        role_store.forget_assignment(unit.rows, held)
    factor_store.forget_factors_of(unit.rows, account_id)
    store.forget_invitations_of(unit.rows, account_id)
    session_store.end_sessions_of(unit.rows, account_id)
    store.change_account(unit.rows, account_id, closed=True, password_hash=None)
    record(unit, "staff.closed", subject_id=account_id)


def suspend_account(unit: Unit, account_id: str, *, approval_id: str | None = None) -> None:
    """Let nobody in by this account, nor by keys made with it, until `resume_account`; its roles stay."""
    store.get_account(unit.rows, account_id)
    roles.require_may_manage(unit, account_id)
    roles.require_not_last(unit, account_id)
    roles.require_second_for_unseating(unit, account_id, "suspend", approval_id)
    store.forget_invitations_of(unit.rows, account_id)
    store.raise_generation(unit.rows, account_id)
    session_store.end_sessions_of(unit.rows, account_id)
    store.change_account(unit.rows, account_id, suspended=True)
    record(unit, "staff.suspended", subject_id=account_id)


def resume_account(unit: Unit, account_id: str, *, approval_id: str | None = None) -> None:
    """Let its owner sign in again; whoever may approve is let in again by two people."""
    if not store.get_account(unit.rows, account_id).suspended:
        raise Conflict("This account is not suspended.")
    roles.require_may_manage(unit, account_id)
    roles.require_second_for_unseating(unit, account_id, "resume", approval_id)
    store.change_account(unit.rows, account_id, suspended=False)
    record(unit, "staff.resumed", subject_id=account_id)


def find_staff(unit: Unit, vault: Vault, word: str) -> str:
    """The id of the account with this id or login; `NotFound` if there is none."""
    blinds = vault.blinds(Purpose.BLIND_LOGIN, one_form_of_login(word))
    found = store.find_account(unit.rows, word) or store.find_account_by_login(unit.rows, blinds)
    if found is None:
        raise NotFound("There is no such staff account here: see `doorward staff list`.")
    return found.id


def check_acceptance(unit: Unit, vault: Vault, *, token: str, password: str) -> str:
    """The password to hash for whoever holds this one-time link; `Denied` for a bad link."""
    _, account_id = _invited(unit, vault, token)
    return good_password_for(unit, vault, store.get_account(unit.rows, account_id), password)


def accept_invitation(unit: Unit, vault: Vault, *, token: str, password_hash: str) -> NewSession:
    """Use a one-time link up; the session may enrol a second factor and nothing else."""
    invitation, account_id = _invited(unit, vault, token)
    session = set_password(unit, account_id, password_hash)
    if not store.use_invitation(unit.rows, invitation.id):
        raise refused_link()
    record(unit, "staff.invitation_accepted", subject_id=account_id)
    return session


def change_password(unit: Unit, session: Session, password_hash: str) -> NewSession:
    """Another password and a fresh session, all others ended."""
    made = set_password(unit, session.account_id, password_hash, stage=session.stage)
    record(unit, "staff.password_changed", subject_id=session.account_id)
    return made


def note_wrong_old_password(unit: Unit, vault: Vault, session: Session) -> None:
    """Count a wrong old password against the login, and end the session that sent it."""
    account = store.get_account(unit.rows, session.account_id)
    record(unit, "staff.password_change_failed", subject_id=account.id)
    count_failure(unit, vault.blind(Purpose.BLIND_LOGIN, login_of(vault, account)), LOGIN_LIMIT)
    session_store.end_session(unit.rows, session.id)


def set_password(
    unit: Unit, account_id: str, password_hash: str, *, stage: Stage = Stage.ENROLLING
) -> NewSession:
    """Keep the hash of a password that was found good, and begin anew."""
    store.change_account(unit.rows, account_id, password_hash=password_hash)
    return begin_anew(unit, account_id, stage)


def good_password_for(unit: Unit, vault: Vault, account: Account, password: str) -> str:
    """The password in the form to hash; `Invalid` says what is wrong with a bad one."""
    second = factor_store.has_second_factor(unit.rows, account.id)
    return require_good_password(password, login=login_of(vault, account), has_second_factor=second)


def read_staff(unit: Unit, vault: Vault, account_id: str) -> Staff:
    """One account in the clear; the look is in the log."""
    account = store.get_account(unit.rows, account_id)
    record(unit, "staff.read", subject_id=account_id)
    return _opened(unit, vault, account)


def list_staff(unit: Unit, vault: Vault, wanted: PageRequest) -> list[Staff]:
    """Accounts that hold something at this site (or all, of every site), one more than wanted."""
    here = {held.account_id for held in role_store.list_open_assignments(unit.rows, unit.site_id)}
    accounts = [
        account
        for account in store.list_accounts(unit.rows, after=wanted.after or "")
        if unit.site_id == EVERY_SITE or account.id in here
    ]
    record(unit, "staff.listed", count=len(accounts[: wanted.limit]))
    return [_opened(unit, vault, account) for account in accounts[: wanted.limit + 1]]


def list_roles_of(unit: Unit, account_id: str) -> list[Assignment]:
    """What an account holds and where."""
    return role_store.list_assignments(unit.rows, account_id)


def find_invitation(unit: Unit, vault: Vault, token: str) -> Invitation | None:
    """The link behind a token, if it still leads in."""
    hashes = vault.blinds(Purpose.BLIND_TOKEN, f"invitation\n{token.strip()}")
    found = next((one for one in (store.find_invitation(unit.rows, each) for each in hashes) if one), None)
    return found if may_use_invitation(found, unit.now) else None


def make_invitation(unit: Unit, vault: Vault, account_id: str | None) -> str:
    """A one-time token for this account, or for the first administrator; former ones are void."""
    store.forget_invitations_of(unit.rows, account_id)
    token = to_text(secrets.token_bytes(TOKEN_BYTES))
    invitation = Invitation(new_id("invitation"), account_id, unit.now + INVITATION_LASTS, used=False)
    store.add_invitation(unit.rows, invitation, vault.blind(Purpose.BLIND_TOKEN, f"invitation\n{token}"))
    return token


def login_of(vault: Vault, account: Account) -> str:
    """The login in the clear."""
    return vault.unseal(Purpose.STAFF, place(account.id, "sealed_login"), account.sealed_login).decode()


def name_of(vault: Vault, account: Account) -> str:
    """The display name in the clear."""
    return vault.unseal(Purpose.STAFF, place(account.id, "sealed_name"), account.sealed_name).decode()


def place(account_id: str, column: str) -> Place:
    """Where a sealed field of an account lies."""
    return Place("staff_accounts", column, account_id)


def refused_link() -> Denied:
    """One answer for a link that is wrong, old or used."""
    return Denied("This link was used, has expired or is not one of ours: ask for a new one.")


def _invite(unit: Unit, vault: Vault, account_id: str) -> str:
    record(unit, "staff.invited", subject_id=account_id)
    return make_invitation(unit, vault, account_id)


def _invited(unit: Unit, vault: Vault, token: str) -> tuple[Invitation, str]:
    """The link behind a token and the account it is for; `Denied` if it leads to none."""
    invitation = find_invitation(unit, vault, token)
    if invitation is None or invitation.account_id is None:
        raise refused_link()
    return invitation, invitation.account_id


def _is_console(unit: Unit) -> bool:
    return unit.actor.id.startswith(SYSTEM_PREFIX)


def _opened(unit: Unit, vault: Vault, account: Account) -> Staff:
    return Staff(
        account.id,
        login_of(vault, account),
        name_of(vault, account),
        account.closed,
        account.password_hash is not None,
        factor_store.has_second_factor(unit.rows, account.id),
        account.suspended,
    )
