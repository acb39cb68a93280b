"""What a decision says: open or shut, and every rule's answer on the way."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why a gate stays shut; each is explained to the operator in docs/operate/decisions.md."""

    DENY_LISTED = "deny-listed"
    EXPIRED = "expired"
    FACE_DELAYED = "face-delayed"
    FACE_MISMATCH = "face-mismatch"
    FACTORS_MISSING = "factors-missing"
    GATE_DISABLED = "gate-disabled"
    IDENTITIES_DIFFER = "identities-differ"
    INTERLOCKED = "interlocked"
    LIVENESS_FAILED = "liveness-failed"
    LIVENESS_NEEDED = "liveness-needed"
    LOCKDOWN = "lockdown"
    LOCKED = "locked"
    NOT_YET_VALID = "not-yet-valid"
    NO_GRANT = "no-grant"
    NUMBER_USED = "number-used"
    OUT_OF_HOURS = "out-of-hours"
    PASSED_BACK = "passed-back"
    PIN_LOCKED = "pin-locked"
    PIN_WRONG = "pin-wrong"
    REPEATED = "repeated"
    SECOND_PERSON_NEEDED = "second-person-needed"
    STALE = "stale"
    SUSPENDED = "suspended"
    TOO_FEW_FRAMES = "too-few-frames"
    TOO_SOON = "too-soon"
    UNCLEAR_PLATE = "unclear-plate"
    UNKNOWN = "unknown"
    ZONE_FULL = "zone-full"


class Opening(StrEnum):
    """On what ground a gate opens."""

    GRANTED = "granted"
    EXIT = "exit"
    UNLOCKED = "unlocked"
    EVACUATION = "evacuation"
    FIRE = "fire"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's answer. A failed one names its refusal; a soft one is noted and does not refuse."""

    rule: str
    passed: bool
    detail: str
    refusal: Refusal | None = None
    soft: bool = False
    opens: Opening | None = None


Trace = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Open:
    """The gate may open. `noted` are the rules that were broken and did not refuse."""

    because: Opening
    trace: Trace
    noted: tuple[Refusal, ...] = ()
    companion_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shut:
    """The gate stays shut, for one reason."""

    because: Refusal
    trace: Trace


Verdict = Open | Shut
