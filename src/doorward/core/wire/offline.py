"""What an agent may decide alone, and how it accounts for it afterwards."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from doorward.core.wire.messages import Door

START_OF_CHAIN = bytes(32)


class Direction(StrEnum):
    """Which way a gate leads; nobody is kept from leaving."""

    IN = "in"
    OUT = "out"


class Mode(StrEnum):
    """Lockdown shuts entries; released (by staff) and evacuation hold the gate open while they last."""

    NORMAL = "normal"
    RELEASED = "released"
    LOCKDOWN = "lockdown"
    EVACUATION = "evacuation"


class Credential(StrEnum):
    """What can be recognised without the server. A face or a PIN never can."""

    CARD = "card"
    QR = "qr"
    PLATE = "plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From `opens` until just before `closes`, as instants: the server has applied zone and holidays."""

    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """One credential that may pass, known only by its keyed hash; `schedule` counts into the policy's."""

    kind: Credential
    hash: bytes
    subject_id: str
    schedule: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflinePolicy:
    """What one agent may decide alone, until it expires.

    It travels over TLS and lives in the agent's memory only: nothing of it is written to the agent's
    disk. `hash_key` is fresh for each agent and version, so that two policies cannot be joined.
    `journal_key` is the server's X25519 public key, `face_key` that of the gallery's key holder: what is
    sealed to them, the agent cannot read back.
    A plate counts from `least_frames` frames and `least_character_confidence` on, as with the server.
    """

    agent_id: str
    gate_id: str
    version: int
    nonce: bytes
    not_before: datetime
    expires_at: datetime
    direction: Direction
    mode: Mode
    open_seconds: int
    hash_key: bytes
    journal_key: bytes
    face_key: bytes
    schedules: tuple[tuple[Window, ...], ...]
    entries: tuple[PolicyEntry, ...]
    least_frames: int = 3
    least_character_confidence: float = 0.5


def credential_hash(key: bytes, kind: Credential, value: str) -> bytes:
    """HMAC-SHA-256 of a credential under a policy's `hash_key`; plates are told apart by letters alone."""
    plain = value.strip()
    if kind is Credential.PLATE:
        plain = "".join(c for c in plain.upper() if c.isalnum())
    return hmac.digest(
        key, b"doorward/offline/" + kind.value.encode() + b"\n" + plain.encode(), hashlib.sha256
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSeen:
    """A credential that was shown, reduced to its keyed hash."""

    kind: Credential
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineDecision:
    """A decision taken without the server, written down before the barrier moves.

    `instead_of` is the sequence of the sighting that got no answer, if one was sent: the server may
    have decided it too, and must not count the passage twice.
    """

    opens: bool
    because: str | None
    subject_id: str | None
    seen: tuple[CredentialSeen, ...]
    face_seen: bool
    policy_version: int | None
    instead_of: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineOutcome:
    """What the barrier did after the decision of that sequence; `certain` as in `Outcome`."""

    about: int
    moved: bool
    certain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineDoor:
    """A change of the door's contacts while the server was away."""

    state: Door


JournalFact = OfflineDecision | OfflineOutcome | OfflineDoor


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One link of an agent's chain: numbered with its sightings, sealed to the server, signed by the agent.

    `previous` is the SHA-256 of the signed body before it (`START_OF_CHAIN` for the first ever); `key_id`
    names the key that it is sealed to.
    """

    agent_id: str
    gate_id: str
    sequence: int
    previous: bytes
    at: datetime
    clock_doubtful: bool
    key_id: bytes
    sealed: bytes


def key_id_of(journal_key: bytes) -> bytes:
    """The name of a server's journal key: the first eight bytes of its SHA-256."""
    return hashlib.sha256(journal_key).digest()[:8]


def link_of(body: bytes) -> bytes:
    """What the next entry names as `previous`."""
    return hashlib.sha256(body).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRestart:
    """The agent's chain goes on at `sequence` after `previous`, though the server holds `held` as its head.

    What lay between is lost to one of them (a backup put back, a state file gone). The server raises an
    alarm and goes on from there; it takes a restart only for the very head that it holds.
    """

    agent_id: str
    gate_id: str
    sequence: int
    previous: bytes
    held: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEntry:
    """An entry that the server cannot take: it is linked into the chain, and its content is left out."""

    sequence: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The server holds an agent's journal up to this sequence, durably; `head` is the last entry's link.

    `refused` are those of the entries handed over just now that it could not take.
    """

    agent_id: str
    up_to: int
    head: bytes
    refused: tuple[RefusedEntry, ...] = ()
