"""What a decision looks at: who was seen, and how things stand at the gate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from doorward.gates.model.door import Peer
from doorward.gates.model.order import Verb
from doorward.gates.model.place import Factor, Gate, Grant, Zone
from doorward.gates.model.schedule import Schedule
from doorward.gates.model.verdict import Refusal


class PinAnswer(StrEnum):
    """What a PIN was worth."""

    RIGHT = "right"
    DURESS = "duress"
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A known person, visitor or vehicle: an id and what limits it, never a name."""

    id: str
    kind: str = "person"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended: bool = False
    group_ids: frozenset[str] = frozenset()
    passback_exempt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What identification made of one sighting. `doubt` says why a proof that was offered did not hold."""

    seen_at: datetime
    received_at: datetime
    proven: frozenset[Factor] = frozenset()
    subjects: tuple[Subject, ...] = ()
    doubt: Refusal | None = None
    liveness_passed: bool | None = None
    duress: bool = False
    is_whole: bool = True  # False: a proof names somebody of whom nothing is known (any more)

    @property
    def leading(self) -> Subject | None:
        """Whoever passes: the person, or the vehicle where no person is known."""
        return self.subjects[0] if self.subjects else None


@dataclass(frozen=True, slots=True)
class Hours:
    """The site's schedules, its holidays and its clock."""

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    time_zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """Where somebody was last let in, and when they last used this door."""

    zone_id: str | None = None
    since: datetime | None = None
    through_door_at: datetime | None = None
    into_zone_at: datetime | None = None
    forgiven: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody whose grant held when they asked, as they stand now, and who waits for a second person."""

    subject: Subject
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything about the gate that the rules may ask."""

    gate: Gate
    target_ids: frozenset[str]  # what a grant may name to mean this gate: its id, its levels, every gate
    hours: Hours = field(default_factory=Hours)
    orders: frozenset[Verb] = frozenset()
    to_zone: Zone | None = None
    from_zone: Zone | None = None
    grants: tuple[Grant, ...] = ()
    whereabouts: Whereabouts | None = None
    inside: int = 0
    peers: tuple[Peer, ...] = ()
    waits_since: datetime | None = None  # since when this way out was refused for the sake of a peer
    waiting: tuple[Waiting, ...] = ()
    clock_tolerance: timedelta = timedelta(seconds=30)
