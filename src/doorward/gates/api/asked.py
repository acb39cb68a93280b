"""What the gates' routes take, as JSON."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from doorward.core.wire import Signed
from doorward.gates.model import (
    EVERY_GATE,
    LEAST_ONE_IN_IDENTIFYING,
    LEAST_ONE_IN_VERIFYING,
    PEOPLE_RULE,
    Agent,
    Calendar,
    Direction,
    Effect,
    Factor,
    Gate,
    Grant,
    Identification,
    Level,
    Reason,
    Schedule,
    SiteRules,
    Strictness,
    Verb,
    Zone,
)
from doorward.gates.model import DayException as Exceptional
from doorward.gates.model import Span as Stretch
from doorward.gates.service import Cause
from doorward.platform.asked import LARGEST, Instant

Name = Annotated[str, Field(min_length=1, max_length=80)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]


class Shape(BaseModel):
    """A body; an unknown field is an error, since it may be a misspelt limit."""

    model_config = ConfigDict(extra="forbid")

    def facts(self) -> dict[str, Any]:
        """The fields as our own values."""
        return {name: getattr(self, name) for name in type(self).model_fields}


class SpanIn(Shape):
    """Minutes after local midnight; closing at or before opening means the day after."""

    opens: Annotated[int, Field(ge=0, lt=1440)]
    closes: Annotated[int, Field(ge=0, le=1440)]

    def ours(self) -> Stretch:
        """As the rules read it."""
        return Stretch(self.opens, self.closes)


class ExceptionIn(Shape):
    """A date with spans of its own; none means closed."""

    on: date
    spans: list[SpanIn] = []


class CalendarIn(Shape):
    """Public holidays of a country, dates added and dates worked all the same."""

    country: Annotated[str | None, Field(pattern="^[A-Z]{2}$")] = None
    subdivision: Annotated[str | None, Field(max_length=8)] = None
    added: list[date] = []
    worked: list[date] = []


class SiteRulesIn(Shape):
    """What holds at every gate unless it says otherwise."""

    time_zone: str = "UTC"
    calendar: CalendarIn = CalendarIn()
    identification: Identification = Identification.ONE_TO_ONE
    one_in_verifying: Annotated[int, Field(ge=LEAST_ONE_IN_VERIFYING)] = 10_000
    one_in_identifying: Annotated[int, Field(ge=LEAST_ONE_IN_IDENTIFYING, le=LARGEST)] = 200
    keep_passages_days: Annotated[int, Field(ge=1, le=3660)] = 90

    def ours(self) -> SiteRules:
        """As the rules read it."""
        kept = self.calendar
        calendar = Calendar(
            country=kept.country,
            subdivision=kept.subdivision,
            added=tuple(kept.added),
            worked=tuple(kept.worked),
        )
        return SiteRules(**{**self.facts(), "calendar": calendar})


class GateIn(Shape):
    """One way through one door; see docs/operate/decisions.md for each field."""

    name: Name
    direction: Direction = Direction.IN
    door_id: Annotated[str, Field(max_length=64)] = ""
    from_zone_id: Id | None = None
    to_zone_id: Id | None = None
    factors: tuple[tuple[Factor, ...], ...] = PEOPLE_RULE
    identification: Identification | None = None
    one_in: Annotated[int | None, Field(ge=LEAST_ONE_IN_IDENTIFYING, le=LARGEST)] = None
    least_frames: Annotated[int, Field(ge=1, le=100)] = 3
    least_character_confidence: Annotated[float, Field(ge=0, le=1)] = 0.5
    open_seconds: Annotated[int, Field(ge=1, le=3600)] = 5
    held_after_seconds: Annotated[int, Field(ge=1, le=86400)] = 20
    door_passback: Strictness = Strictness.OFF
    door_passback_seconds: Annotated[int, Field(ge=0)] = 0
    has_contact: bool = True
    interlock_id: Id | None = None
    two_person_seconds: Annotated[int | None, Field(ge=1, le=3600)] = None
    offline_single_factor: bool = False
    enabled: bool = True

    def ours(self, gate_id: str) -> Gate:
        """As the rules read it."""
        return Gate(id=gate_id, **self.facts())


class ZoneIn(Shape):
    """An area behind gates."""

    name: Name
    area_passback: Strictness = Strictness.OFF
    timed_passback: Strictness = Strictness.OFF
    timed_passback_seconds: Annotated[int, Field(ge=0)] = 0
    presence_timeout_seconds: Annotated[int | None, Field(ge=1, le=366 * 86_400)] = None
    capacity: Annotated[int | None, Field(ge=0, le=LARGEST)] = None
    capacity_rule: Strictness = Strictness.HARD
    capacity_bypass_group_ids: tuple[Id, ...] = ()

    def ours(self, zone_id: str) -> Zone:
        """As the rules read it."""
        return Zone(id=zone_id, **self.facts())


class LevelIn(Shape):
    """Gates granted together."""

    name: Name
    gate_ids: tuple[Id, ...]

    def ours(self, level_id: str) -> Level:
        """As the rules read it."""
        return Level(id=level_id, **self.facts())


class ScheduleIn(Shape):
    """Seven weekdays, Monday first; `on_holidays` null treats a holiday as any other day."""

    name: Name
    weekly: Annotated[list[list[SpanIn]], Field(min_length=7, max_length=7)]
    on_holidays: list[SpanIn] | None = []
    exceptions: list[ExceptionIn] = []

    def ours(self, schedule_id: str) -> Schedule:
        """As the rules read it."""
        free = self.on_holidays
        return Schedule(
            id=schedule_id,
            name=self.name,
            weekly=tuple(tuple(span.ours() for span in day) for day in self.weekly),
            on_holidays=None if free is None else tuple(span.ours() for span in free),
            exceptions=tuple(
                Exceptional(one.on, tuple(span.ours() for span in one.spans)) for one in self.exceptions
            ),
        )


class AgentIn(Shape):
    """An agent's public key (Ed25519, URL-safe base 64) and its gates."""

    name: Name
    public_key: Annotated[str, Field(max_length=64)]
    gate_ids: tuple[Id, ...]

    def ours(self, agent_id: str) -> Agent:
        """As the rules read it."""
        return Agent(id=agent_id, **self.facts())


class GrantIn(Shape):
    """Who may pass where and when; `deny` keeps out and beats every `allow`."""

    holder_id: Id
    target_id: Id | Annotated[str, Field(pattern=r"^\*$")] = EVERY_GATE
    effect: Effect = Effect.ALLOW
    schedule_id: Id | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None

    def ours(self) -> Grant:
        """As the rules read it."""
        return Grant(id="", **self.facts())


class CauseIn(Shape):
    """Why staff step in: a reason from the list and at most a ticket's number; never a name."""

    reason: Reason
    reference: Annotated[str, Field(max_length=40)] = ""

    def ours(self) -> Cause:
        """As the deeds take it."""
        return Cause(reason=self.reason, reference=self.reference)


class OrderIn(CauseIn):
    """A verb for one gate, one zone, or (neither named) the whole site; it may end by itself."""

    verb: Verb
    gate_id: Id | None = None
    zone_id: Id | None = None
    until: Instant | None = None


class ForgiveIn(CauseIn):
    """Whom to let pass once outside anti-passback; null means everybody."""

    subject_id: Id | None


class PlaceIn(CauseIn):
    """Where somebody really is; a zone of null is outside."""

    subject_id: Id
    zone_id: Id | None


class RollCallIn(Shape):
    """Begin a roll-call of some zones, or of all."""

    drill: bool
    zone_ids: tuple[Id, ...] = ()


class SafeIn(Shape):
    """Somebody seen at a muster point."""

    subject_id: Id
    muster_point: Annotated[str, Field(min_length=1, max_length=64)]


class SignedIn(Shape):
    """A signed message of an agent: body and signature in URL-safe base 64."""

    body: Annotated[str, Field(max_length=32_768)]
    signer_id: Annotated[str, Field(max_length=64)]
    signature: Annotated[str, Field(max_length=128)]

    def ours(self) -> Signed:
        """As the wire reads it; `Invalid` if it is no base 64."""
        return Signed.from_json(self.model_dump())


class JournalIn(Shape):
    """Entries of one agent's journal, in order; `restart` says that what came before them will not come."""

    entries: Annotated[list[SignedIn], Field(min_length=1, max_length=500)]
    restart: SignedIn | None = None
