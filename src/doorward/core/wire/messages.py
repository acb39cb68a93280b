"""What agents and the server tell each other while they are connected."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceEvidence:
    """One face followed over several frames; the template is `sealed` to the key that `key_id` names."""

    key_id: bytes
    sealed: bytes
    frames: int
    quality: float
    liveness_passed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateEvidence:
    """One plate voted over several frames: texts with probabilities, best first."""

    candidates: tuple[tuple[str, float], ...]
    minimum_character_confidence: float
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReport:
    """What the agent knows of its own clock: server time minus its wall clock, and how sure that is."""

    offset_ms: int
    round_trip_ms: int
    jumped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One claim by one agent that somebody or something stood before its gate."""

    agent_id: str
    gate_id: str
    sequence: int  # strictly growing per agent; a repeat is answered as before and never opens twice
    seen_at: datetime
    face: FaceEvidence | None = None
    plate: PlateEvidence | None = None
    card: str | None = None
    qr: str | None = None
    pin: str | None = None
    clock: ClockReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The answer to a sighting. `opens` False is a refusal with its reason; a permit is used once.

    The agent counts `valid_seconds` on its monotonic clock from the moment it asked, so that neither
    side's wall clock can stretch a permit; `expires_at` is the server's own record of the same end.
    `highest` is told when the number was used before for something else: the greatest the server has seen
    of this agent, which counts on from there and asks anew.
    """

    permit_id: str
    gate_id: str
    agent_id: str
    sequence: int
    opens: bool
    because: str | None
    open_seconds: int
    expires_at: datetime
    valid_seconds: int = 5
    highest: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the barrier did with a permit.

    `certain` is False when the agent died between its mark and its report: it will not move the
    barrier for that permit any more, but cannot swear that it had not begun to.
    """

    permit_id: str
    gate_id: str
    moved: bool
    at: datetime
    certain: bool = True


class Door(StrEnum):
    """What a door's contacts report; whether an opening was forced or held too long, the server judges."""

    OPENED = "opened"
    CLOSED = "closed"
    EXIT_REQUESTED = "exit-requested"
    TAMPERED = "tampered"
    TAMPER_CLEARED = "tamper-cleared"
    FIRE = "fire"  # the contact of the building's own fire alarm
    FIRE_CLEARED = "fire-cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorState:
    """A change of a door's contacts; numbered like a sighting, so that a repeat is known as one."""

    agent_id: str
    gate_id: str
    sequence: int
    state: Door
    at: datetime


class Wants(StrEnum):
    """What an agent may fetch."""

    POLICY = "policy"
    TIME = "time"
    COMMANDS = "commands"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An agent asks for its policy, the time or what is ordered; the answer repeats the nonce.

    The nonce alone proves that an answer is new: no clock of either side takes part in that. `KEYS` asks for
    the `Handover`s to the server's present key, which prove themselves.
    """

    agent_id: str
    gate_id: str
    wants: Wants
    nonce: bytes  # 16 random bytes
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeReply:
    """The two middle timestamps of an NTP exchange (RFC 5905, section 8), by the server's clock.

    `next_sequence` is above every number that the server has seen of the asking agent.
    """

    nonce: bytes
    received_at: datetime
    sent_at: datetime
    next_sequence: int = 1
