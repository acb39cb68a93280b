"""Decide without the server: shut unless the last signed policy says otherwise; whoever leaves may."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from doorward.core.wire import (
    Credential,
    CredentialSeen,
    Direction,
    Mode,
    OfflinePolicy,
    PolicyEntry,
    credential_hash,
)
from doorward_edge.passage import Seen


class Because(StrEnum):
    """Why the agent itself kept a gate shut."""

    NO_POLICY = "offline-without-policy"
    CLOCK = "offline-clock-doubtful"
    EXPIRED = "offline-policy-expired"
    LOCKDOWN = "offline-lockdown"
    NOTHING = "offline-needs-card-qr-or-plate"
    UNKNOWN = "offline-unknown-credential"
    MIXED = "offline-credentials-of-two"
    HOURS = "offline-out-of-hours"
    NO_RECORD = "offline-cannot-be-recorded"
    FORGED = "answer-not-genuine"
    NOT_OURS = "answer-for-another-gate-or-sighting"
    LATE = "answer-too-late"
    USED = "permit-used-before"
    DISK = "agent-disk-failed"
    NO_STATE = "agent-without-state-file"
    FAULT = "agent-fault"
    SERVER = "refused-by-server"


@dataclass(frozen=True, slots=True)
class Alone:
    """A decision of the agent's own."""

    opens: bool
    because: Because | None = None
    subject_id: str | None = None
    seen: tuple[CredentialSeen, ...] = ()


class PolicyBook:
    """A policy in memory, indexed for look-up; nothing of it is ever written down."""

    def __init__(self, policy: OfflinePolicy) -> None:
        self.policy = policy
        self._entries = {(entry.kind, entry.hash): entry for entry in policy.entries}

    def usable(self, seen: Seen) -> dict[Credential, str]:
        """What of a passage may be looked up: a plate only if it was read as well as the gate asks."""
        policy = self.policy
        return seen.credentials(
            least_frames=policy.least_frames, least_confidence=policy.least_character_confidence
        )

    def hashes(self, shown: dict[Credential, str]) -> tuple[CredentialSeen, ...]:
        """What was shown, reduced to keyed hashes."""
        key = self.policy.hash_key
        return tuple(
            CredentialSeen(kind=kind, hash=credential_hash(key, kind, value))
            for kind, value in sorted(shown.items())
        )

    def find(self, seen: CredentialSeen) -> PolicyEntry | None:
        """The entry for one credential."""
        return self._entries.get((seen.kind, seen.hash))

    def in_force(self, now: datetime) -> bool:
        """Whether the policy may be used at this instant."""
        return self.policy.not_before <= now < self.policy.expires_at

    def allows(self, entry: PolicyEntry, now: datetime) -> bool:
        """Whether an entry's schedule has a window open at this instant."""
        if entry.schedule >= len(self.policy.schedules):
            return False
        return any(w.opens <= now < w.closes for w in self.policy.schedules[entry.schedule])


def decide_alone(
    book: PolicyBook | None,
    shown: dict[Credential, str],
    *,
    direction: Direction,
    now: datetime,
    doubtful: bool,
    open_to_all: bool = False,
) -> Alone:
    """Shut unless every condition for opening holds; a way out opens always, and all else in an evacuation.

    `open_to_all` says that one is in force now: a policy alone cannot, as it lasts for too long.
    """
    seen = book.hashes(shown) if book else ()
    if direction is Direction.OUT or open_to_all:
        return Alone(True, None, _who(book, seen), seen)
    if book is None:
        return Alone(False, Because.NO_POLICY)
    refusal = _unfit(book, now, doubtful=doubtful)
    if refusal:
        return Alone(False, refusal, seen=seen)
    return _look_up(book, seen, now)


def _who(book: PolicyBook | None, seen: tuple[CredentialSeen, ...]) -> str | None:
    """Whom the credentials name, if the policy knows one and only one: so that the server can count them."""
    entries = [book.find(one) for one in seen] if book else []
    named = {entry.subject_id for entry in entries if entry}
    return named.pop() if len(named) == 1 else None


def _unfit(book: PolicyBook, now: datetime, *, doubtful: bool) -> Because | None:
    """Why this policy lets nobody in just now, if it does not."""
    if doubtful:
        return Because.CLOCK
    if not book.in_force(now):
        return Because.EXPIRED
    return Because.LOCKDOWN if book.policy.mode is Mode.LOCKDOWN else None


def _look_up(book: PolicyBook, seen: tuple[CredentialSeen, ...], now: datetime) -> Alone:
    if not seen:
        return Alone(False, Because.NOTHING)
    entries = [book.find(one) for one in seen]
    known = [entry for entry in entries if entry]
    if len(known) < len(entries):
        return Alone(False, Because.UNKNOWN, seen=seen)
    if len({entry.subject_id for entry in known}) > 1:
        return Alone(False, Because.MIXED, seen=seen)
    subject_id = known[0].subject_id
    if not all(book.allows(entry, now) for entry in known):
        return Alone(False, Because.HOURS, subject_id, seen)
    return Alone(True, None, subject_id, seen)
