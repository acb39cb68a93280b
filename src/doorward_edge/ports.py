"""What the agent needs from the world: a barrier, readers, inputs, a server, two clocks, a screen.

Docs of each real bus stand in docs/decisions/0015-edge-agent.md. Every method returns at once or within
a second; `Unavailable` means that the device did not answer, and the next call tries it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from doorward.core.wire import Credential, Kind, Signed


class BarrierState(StrEnum):
    """What a barrier's own contacts say; many relays say nothing."""

    SHUT = "shut"
    OPEN = "open"
    UNKNOWN = "unknown"


class Movement(StrEnum):
    """What became of a command to open."""

    MOVED = "moved"
    COMING = "coming"  # accepted; whether it moved is asked with `Barrier.movement`
    FAILED = "failed"


class Barrier(Protocol):
    """Anything that lets someone through: a relay, an OSDP output, an MQTT switch.

    Called from several threads. Whoever opens a barrier twice means the later end: neither opening may cut
    the other short, even where two gates (readers on both sides) share one strike.
    """

    def open(self, seconds: int) -> Movement:
        """Open, and shut again by itself after so many seconds; `Unavailable` if it did not move.

        A driver whose device answers later gives `COMING` and says the rest by `movement`.
        """

    def movement(self) -> Movement:
        """What became of the last `open`: `COMING` until the device has said so."""

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
    """One thing read; the value is personal and stays in memory.

    `value` is what the server knows the card by. Readers that hand over raw bits say how many there were
    and in which `form` they were read (such as `wiegand-26`), so that two formats of one number differ.
    """

    kind: Shown
    value: str = field(repr=False)
    reader_id: str = ""
    bits: int | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """Digits of a keypad as they are typed; `#` ends a PIN, `*` forgets what was typed."""

    digits: str = field(repr=False)
    reader_id: str = ""


class Condition(StrEnum):
    """What a reader says of itself."""

    ONLINE = "online"
    OFFLINE = "offline"
    SECURED = "secured"  # its line is encrypted with a key of its own from now on
    UNSECURED = "unsecured"
    TAMPERED = "tampered"
    TAMPER_CLEARED = "tamper-cleared"
    POWER_LOST = "power-lost"
    POWER_BACK = "power-back"


@dataclass(frozen=True, slots=True)
class ReaderCondition:
    """A change of a reader's own state."""

    condition: Condition
    reader_id: str = ""


class Sign(StrEnum):
    """What a reader shows the person by lights, sound or text; a driver maps each to what it has."""

    IDLE = "idle"
    WAIT = "wait"
    LOOK = "look"
    ENTER_PIN = "enter-pin"
    GRANTED = "granted"
    REFUSED = "refused"
    JAMMED = "jammed"  # it was granted, and the barrier did not move


class Reader(Protocol):
    """A card, QR or PIN reader; fits OSDP, Wiegand behind a serial line, and keyboards.

    Several readers on one bus are several of these over one shared driver, each with an id of its own.
    """

    def poll(self) -> ReaderEvent | KeyPressed | ReaderCondition | None:
        """The next thing that happened, or None at once; `Unavailable` if the reader is gone."""

    def tell(self, sign: Sign) -> None:
        """Show it, where there is a way to; a reader that is gone is told nothing."""


class Input(StrEnum):
    """What a contact beside a gate means."""

    DOOR = "door"  # active: the leaf is open
    EXIT = "exit"  # request to exit: a button or a motion sensor
    TAMPER = "tamper"
    FIRE = "fire"  # the building's fire alarm; active holds the gate open without any server


@dataclass(frozen=True, slots=True)
class InputChange:
    """How one contact stands now; saying the same twice changes nothing.

    Contacts of one meaning (two leaves, two call points) differ by the name that `contact` gives.
    """

    input: Input
    active: bool
    contact: str = ""


class Inputs(Protocol):
    """Contacts of a door leaf, of a cover, of the exit button, of the fire alarm.

    Whoever drives them says how *every* contact stands at the first poll and again after the device was
    gone, so that what changed meanwhile is not missed; presses shorter than a poll are kept for it.
    """

    def poll(self) -> InputChange | None:
        """The next change, or None at once; `Unavailable` if the device is gone."""


class Link(Protocol):
    """The server, as the agent sees it. Every method raises `Unavailable` when there is no answer in time."""

    def ask(self, sighting: Signed) -> Signed:
        """A sighting in, a signed permit out. Asking again with the same bytes is answered alike."""

    def report(self, kind: Kind, message: Signed) -> None:
        """An outcome or a door state; returns once the server holds it."""

    def replay(self, entries: Sequence[Signed], restart: Signed | None = None) -> Signed:
        """Journal entries in order; a signed receipt for what the server now holds.

        `restart` is a signed `ChainRestart`: what came before these entries will not come.
        """

    def standing(self, request: Signed) -> Signed:
        """A signed `Request` in; the signed `Standing` out: what staff ordered for this gate."""

    def fetch(self, request: Signed) -> Signed:
        """A signed `Request` in; the signed policy or time out."""

    def handovers(self, request: Signed) -> Sequence[Signed]:
        """A signed `Request` in; what introduces the server's present key to those who know an older one."""


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


def go_on(step: Step) -> None:
    """The checkpoint of everyday life: nothing happens."""
