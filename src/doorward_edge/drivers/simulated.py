"""Devices made of nothing, for tests and for the demo; they behave like their ports."""

from collections import deque
from collections.abc import Iterable

from doorward.core.errors import Unavailable
from doorward_edge.ports import (
    BarrierState,
    Clock,
    InputChange,
    KeyPressed,
    Movement,
    ReaderCondition,
    ReaderEvent,
    Sign,
)


class SimulatedBarrier:
    """Remembers each opening; shuts itself by its clock; can be made to jam, or to answer late."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open_until = float("-inf")
        self._answers: deque[Movement] = deque()
        self.openings: list[int] = []
        self.jammed = False

    def answers_later(self, *answers: Movement) -> None:
        """From now on the next opening is only accepted, and these answers come one after the other."""
        self._answers = deque(answers)

    def open(self, seconds: int) -> Movement:
        """Open, unless jammed; opening again prolongs, and never shortens."""
        if self.jammed:
            raise Unavailable("The barrier did not move: look for what blocks it.")
        self.openings.append(seconds)
        self._open_until = max(self._open_until, self._clock.monotonic() + seconds)
        return Movement.COMING if self._answers else Movement.MOVED

    def movement(self) -> Movement:
        """The next answer."""
        return self._answers.popleft() if self._answers else Movement.COMING

    def shut(self) -> None:
        """Shut now."""
        self._open_until = float("-inf")

    def state(self) -> BarrierState:
        """By the clock."""
        return BarrierState.OPEN if self._clock.monotonic() < self._open_until else BarrierState.SHUT


class SimulatedReader:
    """Reads what it is handed, and remembers what it showed."""

    def __init__(self, events: Iterable[ReaderEvent | KeyPressed | ReaderCondition] = ()) -> None:
        self._events = deque(events)
        self.told: list[Sign] = []
        self.unplugged = False

    def show(self, event: ReaderEvent | KeyPressed | ReaderCondition) -> None:
        """Hold something before the reader."""
        self._events.append(event)

    def poll(self) -> ReaderEvent | KeyPressed | ReaderCondition | None:
        """The oldest thing shown."""
        if self.unplugged:
            raise Unavailable("The reader does not answer: check its cable.")
        return self._events.popleft() if self._events else None

    def tell(self, sign: Sign) -> None:
        """Remember what it showed."""
        self.told.append(sign)


class SimulatedInputs:
    """Contacts that change when told to."""

    def __init__(self) -> None:
        self._changes: deque[InputChange] = deque()
        self.unplugged = False

    def change(self, change: InputChange) -> None:
        """Something happens at a contact."""
        self._changes.append(change)

    def poll(self) -> InputChange | None:
        """The oldest change."""
        if self.unplugged:
            raise Unavailable("The contacts do not answer: check their cable.")
        return self._changes.popleft() if self._changes else None


class SilentPrompt:
    """A screen that remembers its last sentence."""

    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        """Remember it."""
        self.sentences.append(sentence)
