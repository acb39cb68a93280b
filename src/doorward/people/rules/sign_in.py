"""When a sign-in is refused unheard, which code counts, which login is one."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.core.errors import Invalid
from doorward.people.model.staff import Invitation, Throttle

INVITATION_LASTS = timedelta(hours=1)
TOTP_SECONDS = 30
TOTP_DRIFT_STEPS = 1
RECOVERY_CODES = 10
LOGIN = re.compile(r"[^\s\x00-\x1f\x7f]{3,100}")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many failures within a while lock; each further one locks for twice as long."""

    failures: int
    within: timedelta
    first_lock: timedelta
    longest_lock: timedelta


LOGIN_LIMIT = Limit(5, timedelta(minutes=15), timedelta(minutes=1), timedelta(hours=1))
ADDRESS_LIMIT = Limit(30, timedelta(minutes=15), timedelta(minutes=5), timedelta(hours=1))


def is_locked(throttle: Throttle | None, now: datetime) -> bool:
    """Whether this login or address must wait."""
    if throttle is None or throttle.locked_until is None:
        return False
    return now < throttle.locked_until


def after_failure(throttle: Throttle | None, now: datetime, limit: Limit) -> Throttle:
    """The count after one more failure. A clock that jumps back never unlocks."""
    if throttle is None or _is_over(throttle, now, limit):
        throttle = Throttle(0, now, None)
    failures = throttle.failures + 1
    if failures < limit.failures:
        return Throttle(failures, throttle.since, throttle.locked_until)
    beyond = min(failures - limit.failures, 16)
    lock = min(limit.first_lock * 2**beyond, limit.longest_lock)
    until = max(now + lock, throttle.locked_until or now)
    return Throttle(failures, throttle.since, until)


def one_form_of_login(login: str) -> str:
    """The login in the one form that is looked up; `Invalid` if it is none."""
    plain = unicodedata.normalize("NFKC", login).strip().casefold()
    if not LOGIN.fullmatch(plain):
        raise Invalid("A login has 3 to 100 characters and no spaces: an e-mail address or a short name.")
    return plain


def totp_step(now: datetime) -> int:
    """The time step of RFC 6238."""
    return int(now.timestamp()) // TOTP_SECONDS


def acceptable_steps(now: datetime, last_step: int) -> list[int]:
    """Steps whose code counts now: one either side of the clock, and none that was used before."""
    here = totp_step(now)
    return [step for step in range(here - TOTP_DRIFT_STEPS, here + TOTP_DRIFT_STEPS + 1) if step > last_step]


def may_use_invitation(invitation: Invitation | None, now: datetime) -> bool:
    """Whether this link still leads in."""
    if invitation is None or invitation.used:
        return False
    return now < invitation.expires_at


def one_form_of_code(code: str) -> str:
    """A code without the blanks and dashes that people put between its groups."""
    return re.sub(r"[\s-]", "", code).casefold()


def _is_over(throttle: Throttle, now: datetime, limit: Limit) -> bool:
    """A lock is remembered for a while after it ends, so that the next failure locks for longer."""
    return now - max(throttle.since, throttle.locked_until or throttle.since) >= limit.within
