"""Devices made of nothing, for tests and for the demo; they behave like their ports."""

from collections import deque
from collections.abc import Iterable

from doorward.core.errors import Unavailable
from doorward.core.wire import Door
from doorward_edge.ports import BarrierState, Clock, ReaderEvent


class SimulatedBarrier:
    """Remembers each opening; shuts itself by the clock it is given; can be made to jam."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_until = float("-inf")
        self.openings: list[int] = []
        self.jammed = False

    def open(self, seconds: int) -> None:
        """Open, unless jammed."""
        if self.jammed:
            raise Unavailable("The barrier did not move: look for what blocks it.")
        self.openings.append(seconds)
        self._open_until = self._clock.monotonic() + seconds

    def shut(self) -> None:
        """Shut now."""
        self._open_until = float("-inf")

    def state(self) -> BarrierState:
        """By the clock."""
        return BarrierState.OPEN if self._clock.monotonic() < self._open_until else BarrierState.SHUT


class SimulatedReader:
    """Reads what it is handed, and remembers the lights it showed."""

    def __init__(self, events: Iterable[ReaderEvent] = ()) -> None:
        self._events = deque(events)
        self.told: list[bool] = []
        self.unplugged = False

    def show(self, event: ReaderEvent) -> None:
        """Hold something before the reader."""
        self._events.append(event)

    def poll(self) -> ReaderEvent | None:
        """The oldest thing shown."""
        if self.unplugged:
            raise Unavailable("The reader does not answer: check its cable.")
        return self._events.popleft() if self._events else None

    def tell(self, accepted: bool) -> None:
        """Remember the verdict."""
        self.told.append(accepted)


class SimulatedDoor:
    """Contacts that change when told to."""

    def __init__(self) -> None:
        self._changes: deque[Door] = deque()

    def change(self, state: Door) -> None:
        """Something happens at the door."""
        self._changes.append(state)

    def poll(self) -> Door | None:
        """The oldest change."""
        return self._changes.popleft() if self._changes else None


class SilentPrompt:
    """A screen that remembers its last sentence."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        """Remember it."""
        self.sentences.append(sentence)
