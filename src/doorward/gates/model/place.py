"""Gates, the zones between them, and who may pass."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from doorward.gates.model.schedule import Calendar

EVERY_GATE = "*"
# A weaker promise than these is none: a hundred strangers' attempts are made in an afternoon. To look up
# is the weaker one since its promise is shared by the whole gallery, and liveness is asked for besides.
LEAST_ONE_IN_VERIFYING = 100
LEAST_ONE_IN_IDENTIFYING = 50


class Direction(StrEnum):
    """Which way a gate leads; a way OUT is never refused for the sake of rules about people."""

    IN = "in"
    OUT = "out"


class Factor(StrEnum):
    """One proof of who somebody is."""

    FACE = "face"
    CARD = "card"
    QR = "qr"
    PIN = "pin"
    PLATE = "plate"


class Identification(StrEnum):
    """Whether a face verifies a claim made by card or QR, or is looked up among everybody."""

    ONE_TO_ONE = "1:1"
    ONE_TO_MANY = "1:n"


class Strictness(StrEnum):
    """What a broken rule does: nothing, an alarm, or a refusal."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class Effect(StrEnum):
    """Whether an entry in the list of grants lets in or keeps out."""

    ALLOW = "allow"
    DENY = "deny"


FactorRule = tuple[tuple[Factor, ...], ...]  # any of the alternatives; all of the factors in one

PEOPLE_RULE: FactorRule = (
    (Factor.CARD, Factor.FACE),
    (Factor.QR, Factor.FACE),
    (Factor.CARD, Factor.PIN),
    (Factor.QR, Factor.PIN),
)
VEHICLE_RULE: FactorRule = ((Factor.PLATE,),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One way through one door or barrier in one direction. Zones are ids; None is outside."""

    id: str
    name: str
    direction: Direction = Direction.IN
    door_id: str = (
        ""  # the physical leaf; both directions of one door name the same, empty means the gate's own
    )
    from_zone_id: str | None = None
    to_zone_id: str | None = None
    factors: FactorRule = PEOPLE_RULE
    identification: Identification | None = None  # None: as the site says
    one_in: int | None = None  # at most one wrong opening in so many attempts; None: as the site says
    least_frames: int = 3
    least_character_confidence: float = 0.5
    open_seconds: int = 5
    held_after_seconds: int = 20
    has_contact: bool = True  # whether anything tells that the leaf is closed; an interlock asks for it
    door_passback: Strictness = Strictness.OFF
    door_passback_seconds: int = 0
    interlock_id: str | None = None  # of the doors that share one, a single one may be open
    two_person_seconds: int | None = None
    offline_single_factor: bool = False  # without the server a card, QR code or plate alone suffices
    enabled: bool = True

    @property
    def leaf(self) -> str:
        """The door this gate moves."""
        return self.door_id or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """An area behind gates."""

    id: str
    name: str
    area_passback: Strictness = Strictness.OFF
    timed_passback: Strictness = Strictness.OFF
    timed_passback_seconds: int = 0
    presence_timeout_seconds: int | None = None  # after so long nobody counts as inside for passback
    capacity: int | None = None
    capacity_rule: Strictness = Strictness.HARD
    capacity_bypass_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """An access level: gates granted together."""

    id: str
    name: str
    gate_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Lets a person, vehicle or group through a gate or level (or keeps them out), at some hours."""

    id: str
    holder_id: str
    target_id: str = EVERY_GATE
    effect: Effect = Effect.ALLOW
    schedule_id: str | None = None  # None: at any hour
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    made_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A program beside gates: its Ed25519 public key (URL-safe base 64) and the gates it may speak for."""

    id: str
    name: str
    public_key: str
    gate_ids: tuple[str, ...]
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRules:
    """What holds at every gate of a site unless the gate says otherwise."""

    time_zone: str = "UTC"  # IANA name
    calendar: Calendar = field(default_factory=Calendar)
    identification: Identification = Identification.ONE_TO_ONE
    # At most one wrong opening in so many strangers' attempts; the same figures as in vision.thresholds.
    one_in_verifying: int = 10_000
    one_in_identifying: int = 200
    keep_passages_days: int = 90  # who passed when, and old roll-calls, are erased after so long
