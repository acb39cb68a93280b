"""What is remembered: passages, presence, alarms, permits and roll-calls. Ids only, never names."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from doorward.gates.model.place import Direction


class AlarmKind(StrEnum):
    """What somebody should look at."""

    BACKWARD_CLOCK = "backward-clock"
    DECIDER_AWAY = "decider-away"
    DOOR_FORCED = "door-forced"
    DOOR_HELD = "door-held"
    DOOR_OFFLINE = "door-offline"
    DOOR_TAMPERED = "door-tampered"
    COUNT_UNSURE = "count-unsure"
    DURESS = "duress"  # silent: shown to staff, never at the gate
    EXIT_UNKNOWN = "exit-unknown"
    FACE_GUESSED = "face-guessed"
    FIRE_CONTACT = "fire-contact"
    JOURNAL_BROKEN = "journal-broken"
    MATCHER_AWAY = "matcher-away"
    MATCHER_FORGED = "matcher-forged"
    MESSAGE_REFUSED = "message-refused"
    NO_OUTCOME = "no-outcome"
    NUMBER_REUSED = "number-reused"
    OFFLINE_DISAGREED = "offline-disagreed"
    POLICY_CUT = "policy-cut"
    RECORD_UNREADABLE = "record-unreadable"
    RULE_BROKEN = "rule-broken"
    SEARCHED_TOO_OFTEN = "searched-too-often"
    ZONE_EXCEEDED = "zone-exceeded"
    ZONE_REACHED = "zone-reached"


class PassageState(StrEnum):
    """How far a passage got."""

    REFUSED = "refused"
    PERMITTED = "permitted"
    OPENED = "opened"
    FAILED = "failed"
    UNREPORTED = "unreported"  # a permit whose outcome never came


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One decision at one gate, and what came of it. Its id is also that of the permit it gave."""

    id: str
    gate_id: str
    agent_id: str
    sequence: int
    direction: Direction
    subject_id: str | None
    companion_id: str | None
    seen_at: datetime
    decided_at: datetime
    state: PassageState
    because: str
    offline: bool
    expires_at: datetime
    open_seconds: int
    zone_before: str | None = None
    zone_after: str | None = None
    trace: str = "[]"

    @property
    def moment(self) -> datetime:
        """When it was decided: by the server's clock, or by the agent's if it decided alone."""
        return self.seen_at if self.offline else self.decided_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A passage and its place in the list of all passages."""

    number: int
    passage: Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Where somebody was last let in or, with a zone of None, when they left.

    What held before is kept with it, so that a barrier that did not move puts each one back.
    """

    subject_id: str
    zone_id: str | None
    since: datetime
    passage_id: str
    forgiven: bool = False
    zone_before: str | None = None
    since_before: datetime | None = None  # None: nothing was known of them
    forgiven_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses:
    """How often in a row a face failed, at a gate or for one person."""

    about: str
    failures: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something to look at, until somebody has."""

    id: str
    kind: AlarmKind
    raised_at: datetime
    place_id: str  # a gate, door, zone or agent, or the person or vehicle whose record it is
    subject_id: str | None = None
    passage_id: str | None = None
    detail: str = ""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollCall:
    """A count of who got out. `zone_ids` empty means every zone."""

    id: str
    drill: bool
    started_at: datetime
    started_by: str
    zone_ids: tuple[str, ...] = ()
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Somebody a roll-call looks for, and where they were."""

    subject_id: str
    zone_id: str | None
    since: datetime
    safe_at: datetime | None = None
    safe_by: str | None = None
    muster_point: str | None = None


class OccupancyEvent(StrEnum):
    """What a change of head count means for a zone's capacity."""

    REACHED = "reached"
    EXCEEDED = "exceeded"
    BELOW = "below"
