"""Staff accounts, the ways to prove them, and what a sign-in can answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """How far a session has come."""

    ENROLLING = "enrolling"  # knows the password, has no second factor yet: no right works
    FULL = "full"


class SignInRefusal(StrEnum):
    """Why nobody was signed in; the first one never says which part was wrong."""

    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Account:
    """A staff account as it is stored: login and name are sealed."""

    id: str
    sealed_login: bytes
    sealed_name: bytes
    password_hash: str | None
    generation: int  # a change of password or factors raises it, and every older session ends
    closed: bool
    made_at: datetime
    suspended: bool = False

    @property
    def barred(self) -> bool:
        """Whether nobody gets in by this account now."""
        return self.closed or self.suspended


@dataclass(frozen=True, slots=True)
class Staff:
    """A staff account in the clear, for whoever may see it."""

    id: str
    login: str
    name: str
    closed: bool
    has_password: bool
    has_second_factor: bool
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link; `account_id` is None for the first administrator's."""

    id: str
    account_id: str | None
    expires_at: datetime
    used: bool


@dataclass(frozen=True, slots=True)
class Totp:
    """The secret behind an authenticator app's codes, and the last time step that was used."""

    account_id: str
    sealed_secret: bytes
    confirmed: bool
    last_step: int


@dataclass(frozen=True, slots=True)
class Passkey:
    """A WebAuthn credential."""

    id: str
    account_id: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    sealed_label: bytes
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser; only the hash of its cookie is stored."""

    id: str
    account_id: str
    generation: int
    stage: Stage
    made_at: datetime
    seen_at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Throttle:
    """Failures counted against one login or one address."""

    failures: int
    since: datetime
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made, with the only copy of its cookie's value."""

    session: Session
    cookie: str
