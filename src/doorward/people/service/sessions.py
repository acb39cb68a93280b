"""Signed-in browsers: begin, find, list and end them."""

import hashlib
import secrets
from datetime import timedelta

from doorward.audit.service import record
from doorward.core.encoding import to_text
from doorward.core.errors import Denied, NotFound, Unauthenticated
from doorward.core.ids import new_id
from doorward.people.model.staff import Account, NewSession, Session, Stage
from doorward.people.rules.sessions import ABSOLUTE, ENROLLING, is_fresh, is_live, is_touch_due
from doorward.people.store import sessions as store
from doorward.people.store import staff as staff_store
from doorward.people.store.counted import forget_counted_before
from doorward.people.store.factors import forget_spent
from doorward.platform.db import Unit

COOKIE_BYTES = 32
COUNTS_KEPT = timedelta(days=7)  # the longest while that a setting may name


def make_session(unit: Unit, account: Account, stage: Stage) -> NewSession:
    """A session with a fresh random cookie; only the cookie's hash is kept."""
    cookie = to_text(secrets.token_bytes(COOKIE_BYTES))
    session = Session(
        new_id("session"), account.id, account.generation, stage, unit.now, unit.now, ended=False
    )
    store.add_session(unit.rows, session, _hash(cookie))
    return NewSession(session, cookie)


def find_live_session(unit: Unit, cookie: str | None) -> tuple[Session, Account] | None:
    """The session behind a cookie, if it counts now."""
    session = store.find_session(unit.rows, _hash(cookie)) if cookie else None
    if session is None:
        return None
    account = staff_store.find_account(unit.rows, session.account_id)
    if account is None or not is_live(session, account, unit.now):
        return None
    if session.stage is Stage.ENROLLING and unit.now - session.made_at >= ENROLLING:
        return None
    return session, account


def get_session(unit: Unit, cookie: str | None) -> tuple[Session, Account]:
    """The same; `Unauthenticated` if there is none."""
    found = find_live_session(unit, cookie)
    if found is None:
        raise Unauthenticated("Sign in first.")
    return found


def get_fresh_session(unit: Unit, cookie: str | None) -> tuple[Session, Account]:
    """A session young enough to change how its owner signs in; `Denied` for an older one."""
    session, account = get_session(unit, cookie)
    if not is_fresh(session, unit.now):
        raise Denied("Sign in again first: this changes how you sign in.")
    return session, account


def touch_session(unit: Unit, session: Session) -> None:
    """Note a sign of life, at most once a minute."""
    if is_touch_due(session.seen_at, unit.now):
        store.touch_session(unit.rows, session.id, unit.now)


def sign_out(unit: Unit, cookie: str | None) -> None:
    """End the session of this cookie, if there is one."""
    session = store.find_session(unit.rows, _hash(cookie)) if cookie else None
    if session is None or session.ended:
        return
    store.end_session(unit.rows, session.id)
    record(unit, "staff.signed_out", subject_id=session.account_id, session=session.id)


def list_own_sessions(unit: Unit, account_id: str) -> list[Session]:
    """The account's sessions that count now, newest first."""
    account = staff_store.get_account(unit.rows, account_id)
    return [one for one in store.list_sessions(unit.rows, account_id) if is_live(one, account, unit.now)]


def end_own_session(unit: Unit, account_id: str, session_id: str) -> None:
    """End one session of this account; `NotFound` if it has no such session."""
    if session_id not in {session.id for session in list_own_sessions(unit, account_id)}:
        raise NotFound("There is no such session.")
    store.end_session(unit.rows, session_id)
    record(unit, "staff.session_ended", subject_id=account_id, session=session_id)


def end_all_sessions(unit: Unit, account_id: str) -> int:
    """Sign out everywhere, here too; browsers that were known are so no longer. How many sessions ended."""
    ended = len(list_own_sessions(unit, account_id))
    staff_store.raise_generation(unit.rows, account_id)
    store.end_sessions_of(unit.rows, account_id)
    record(unit, "staff.sessions_ended", subject_id=account_id, sessions=ended)
    return ended


def begin_anew(unit: Unit, account_id: str, stage: Stage) -> NewSession:
    """End every session of the account and begin one."""
    staff_store.raise_generation(unit.rows, account_id)
    store.end_sessions_of(unit.rows, account_id)
    return make_session(unit, staff_store.get_account(unit.rows, account_id), stage)


def forget_old_sign_ins(unit: Unit) -> None:
    """Erase sessions, links, challenges and counts that no longer mean anything; for the schedule."""
    store.forget_sessions_before(unit.rows, unit.now - ABSOLUTE)
    store.forget_throttles_before(unit.rows, unit.now - ABSOLUTE)
    staff_store.forget_expired_invitations(unit.rows, unit.now)
    forget_spent(unit.rows, unit.now)
    forget_counted_before(unit.rows, unit.now - COUNTS_KEPT)


def _hash(cookie: str) -> bytes:
    """A plain hash is enough: the cookie holds 256 random bits."""
    return hashlib.sha256(cookie.encode()).digest()
