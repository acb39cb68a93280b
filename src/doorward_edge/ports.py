"""What the agent needs from the world: a barrier, readers, contacts, a server, two clocks, a screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from doorward.core.wire import Credential, Door, Kind, Request, Signed


class BarrierState(StrEnum):
    """What a barrier's own contacts say; many relays say nothing."""

    SHUT = "shut"
    OPEN = "open"
    UNKNOWN = "unknown"


class Barrier(Protocol):
    """Anything that lets someone through: a relay, an OSDP output, an MQTT switch."""

    def open(self, seconds: int) -> None:
        """Open, and shut again by itself after so many seconds; `Unavailable` if it did not move."""

    def shut(self) -> None:
        """Stop letting through now, or as soon as the device listens; never raises `Unavailable`."""

    def state(self) -> BarrierState:
        """How it stands now."""


class Shown(StrEnum):
    """What a reader can be shown."""

    CARD = Credential.CARD.value
    QR = Credential.QR.value
    PIN = "pin"


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """One thing read; the value is personal and stays in memory."""

    kind: Shown
    value: str


class Reader(Protocol):
    """A card, QR or PIN reader; fits OSDP, Wiegand behind a serial line, and keyboards."""

    def poll(self) -> ReaderEvent | None:
        """The next thing read, or None at once; `Unavailable` if the reader is gone."""

    def tell(self, accepted: bool) -> None:
        """Show the verdict by light or sound, where there is one."""


class DoorSensor(Protocol):
    """Contacts of the door leaf, the tamper switch and the exit button."""

    def poll(self) -> Door | None:
        """The next change, or None at once."""


class Link(Protocol):
    """The server, as the agent sees it. Every method raises `Unavailable` when there is no answer in time."""

    def ask(self, sighting: Signed) -> Signed:
        """A sighting in, a signed permit out. Asking again with the same bytes is answered alike."""

    def report(self, kind: Kind, message: Signed) -> None:
        """An outcome or a door state; returns once the server holds it."""

    def replay(self, entries: Sequence[Signed]) -> Signed:
        """Journal entries in order; a signed receipt for what the server now holds."""

    def commands(self, request: Signed) -> Sequence[Signed]:
        """A signed `Request` in; the permits that staff gave by hand and nobody has used yet."""

    def fetch(self, request: Signed) -> Signed:
        """A signed `Request` in; the signed policy or time out."""


class Clock(Protocol):
    """The two clocks of a machine: one that tells the time and one that only runs."""

    def wall(self) -> datetime:
        """The time of day in UTC, as far as this machine knows it."""

    def monotonic(self) -> float:
        """Seconds since some moment; goes on while the machine sleeps and never jumps."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class Prompt(Protocol):
    """A screen, a loudspeaker or a console in front of the person."""

    def say(self, sentence: str) -> None:
        """Ask the person for something: to come closer, to blink, to wait."""


class Step(StrEnum):
    """Moments of a passage at which power may fail; tests pull the plug at each."""

    NUMBERED = "numbered"
    ANSWERED = "answered"
    MARKED = "marked"
    MOVED = "moved"
    SETTLED = "settled"
    REPORTED = "reported"
    JOURNALLED = "journalled"
    MOVED_ALONE = "moved-alone"
    OUTCOME_JOURNALLED = "outcome-journalled"
    REPLAYED = "replayed"
    TRUNCATED = "truncated"


Checkpoint = Callable[[Step], None]
Ask = Callable[[Request], Signed]


def go_on(step: Step) -> None:
    """The checkpoint of everyday life: nothing happens."""
