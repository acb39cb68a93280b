"""Sign in with a password and a code: what comes before its hashing and what after, as `by_password` does it.

`begin_sign_in` goes into any unit, `finish_sign_in` into a writing one; a refusal must commit too.
"""

import hashlib
from dataclasses import dataclass, replace

from doorward.audit.service import record
from doorward.core.errors import Invalid
from doorward.people.model.staff import Account, NewSession, SignInRefusal, Stage
from doorward.people.rules.sign_in import (
    ADDRESS_LIMIT,
    LOGIN_LIMIT,
    Limit,
    after_failure,
    is_locked,
    one_form_of_login,
)
from doorward.people.service.devices import known_device
from doorward.people.service.factors import has_second_factor, use_code
from doorward.people.service.sessions import make_session
from doorward.people.store import sessions as store
from doorward.people.store import staff as staff_store
from doorward.platform.addresses import sender_of
from doorward.platform.db import Unit
from doorward.vault.model import Purpose
from doorward.vault.service import Vault


@dataclass(frozen=True, slots=True)
class Attempt:
    """Someone who wants in, before anything is proven."""

    account: Account | None
    login_blind: bytes
    address_blind: bytes
    locked: bool
    device_blind: bytes | None = None  # of a browser that signed in before

    @property
    def password_hash(self) -> str | None:
        """What the password must fit; None for an unknown login or a closed or suspended account."""
        return self.account.password_hash if self.account and not self.account.barred else None


def begin_sign_in(
    unit: Unit, vault: Vault, *, login: str, address: str | None, device: str | None = None
) -> Attempt:
    """Who this may be and whether he must wait. A lock holds for unknown logins just the same.

    A browser that signed in before has a count of its own: strangers cannot keep its owner out.
    """
    try:
        plain = one_form_of_login(login)
    except Invalid:
        plain = "\n" + hashlib.sha256(login.encode()).hexdigest()
    blinds = vault.blinds(Purpose.BLIND_LOGIN, plain)
    address_blind = blind_address(vault, address)
    account = staff_store.find_account_by_login(unit.rows, blinds)
    attempt = Attempt(
        account, blinds[0], address_blind, locked=False, device_blind=known_device(vault, account, device)
    )
    return replace(attempt, locked=_must_wait(unit, attempt))


def finish_sign_in(
    unit: Unit, vault: Vault, attempt: Attempt, *, password_right: bool, code: str | None
) -> NewSession | SignInRefusal:
    """A session, or why not. Locks are looked at again, so that guesses sent at once gain nothing."""
    if _must_wait(unit, attempt):
        return SignInRefusal.LOCKED
    account = _still_the_same(unit, attempt.account)
    if account is None or not password_right:
        return _fail(unit, attempt, "password")
    if not has_second_factor(unit, account.id):
        return _welcome(unit, attempt, account, Stage.ENROLLING, "password")
    method = use_code(unit, vault, account.id, code or "")
    if method is None:
        return _fail(unit, attempt, "code")
    return _welcome(unit, attempt, account, Stage.FULL, f"password+{method}")


def blind_address(vault: Vault, address: str | None) -> bytes:
    """The keyed hash under which a sender's failures are counted; no address is one sender."""
    return vault.blind(Purpose.BLIND_TOKEN, f"address\n{sender_of(address)}")


def is_address_locked(unit: Unit, address_blind: bytes) -> bool:
    """Whether this address must wait."""
    return is_locked(store.find_throttle(unit.rows, address_blind), unit.now)


def count_failure(unit: Unit, blind: bytes, limit: Limit) -> None:
    """One more failure of a login or an address; the moment it locks is an entry of its own."""
    counted = after_failure(store.find_throttle(unit.rows, blind), unit.now, limit)
    store.put_throttle(unit.rows, blind, counted)
    if is_locked(counted, unit.now):
        record(unit, "staff.sign_in_locked", failures=counted.failures)


def _must_wait(unit: Unit, attempt: Attempt) -> bool:
    own = attempt.device_blind
    if own is not None and not is_locked(store.find_throttle(unit.rows, own), unit.now):
        return False
    login_locked = is_locked(store.find_throttle(unit.rows, attempt.login_blind), unit.now)
    return login_locked or is_address_locked(unit, attempt.address_blind)


def _still_the_same(unit: Unit, seen: Account | None) -> Account | None:
    """The account, if nothing changed while its password was being checked."""
    now = seen and staff_store.find_account(unit.rows, seen.id)
    if seen is None or now is None or now.barred:
        return None
    return now if (now.generation, now.password_hash) == (seen.generation, seen.password_hash) else None


def _fail(unit: Unit, attempt: Attempt, why: str) -> SignInRefusal:
    account_id = attempt.account.id if attempt.account else None
    record(unit, "staff.sign_in_failed", subject_id=account_id, why=why)
    count_failure(unit, attempt.login_blind, LOGIN_LIMIT)
    count_failure(unit, attempt.address_blind, ADDRESS_LIMIT)
    if attempt.device_blind is not None:
        count_failure(unit, attempt.device_blind, LOGIN_LIMIT)
    return SignInRefusal.WRONG


def _welcome(unit: Unit, attempt: Attempt, account: Account, stage: Stage, method: str) -> NewSession:
    store.forget_throttle(unit.rows, attempt.login_blind)
    if attempt.device_blind is not None:
        store.forget_throttle(unit.rows, attempt.device_blind)
    made = make_session(unit, account, stage)
    record(unit, "staff.signed_in", subject_id=account.id, method=method, session=made.session.id)
    return made
