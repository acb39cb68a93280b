"""What a door's sensors say and what that means."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DoorStatus(StrEnum):
    """How a door stands; the gravest condition wins."""

    CLOSED = "closed"
    OPEN = "open"
    HELD = "held"
    FORCED = "forced"
    TAMPERED = "tampered"
    OFFLINE = "offline"


class DoorEvent(StrEnum):
    """One thing that happened at a door."""

    OPENED = "opened"
    CLOSED = "closed"
    PERMITTED = "permitted"  # a permit was given: opening within its time is no break-in
    EXIT_REQUESTED = "exit-requested"  # the request-to-exit button or sensor; not an unlock
    TAMPERED = "tampered"
    TAMPER_CLEARED = "tamper-cleared"
    WENT_OFFLINE = "went-offline"
    CAME_ONLINE = "came-online"
    TIME_PASSED = "time-passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorState:
    """A door at one moment. Times are instants."""

    door_id: str
    leaf: DoorStatus = DoorStatus.CLOSED  # CLOSED, OPEN, HELD or FORCED
    tampered: bool = False
    offline: bool = False
    opened_at: datetime | None = None
    may_open_until: datetime | None = None
    told_at: datetime | None = None  # when the contact last spoke; None: nobody knows how the leaf stands
    spent_until: datetime | None = None  # permits given up to then explain openings that were told

    @property
    def status(self) -> DoorStatus:
        """The gravest condition."""
        if self.offline:
            return DoorStatus.OFFLINE
        return DoorStatus.TAMPERED if self.tampered else self.leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another door of an interlock: how it stands, and since when it is open or a permit releases it."""

    door_id: str
    status: DoorStatus = DoorStatus.CLOSED
    is_known: bool = True  # whether its contact ever said how it stands, or it has none
    since: datetime | None = None
