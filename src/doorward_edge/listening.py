"""Polls readers and contacts without ever waiting for a server, and stamps what they say with its time."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from doorward.core.errors import DoorwardError, Unavailable
from doorward.core.wire import Door
from doorward_edge.held import Held
from doorward_edge.passage import Seen
from doorward_edge.ports import (
    Condition,
    Input,
    InputChange,
    Inputs,
    KeyPressed,
    Reader,
    ReaderCondition,
    ReaderEvent,
    Shown,
)
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep

MOST_AT_ONCE: Final = 16
MOST_UNTOLD: Final = 1000
TELL_AGAIN_SECONDS: Final = 1.0
LONGEST_PIN: Final = 16
STATES: Final = {
    (Input.DOOR, True): Door.OPENED,
    (Input.DOOR, False): Door.CLOSED,
    (Input.EXIT, True): Door.EXIT_REQUESTED,
    (Input.TAMPER, True): Door.TAMPERED,
    (Input.TAMPER, False): Door.TAMPER_CLEARED,
    (Input.FIRE, True): Door.FIRE,
    (Input.FIRE, False): Door.FIRE_CLEARED,
}
CONDITIONS: Final = {
    Condition.TAMPERED: Door.TAMPERED,
    Condition.TAMPER_CLEARED: Door.TAMPER_CLEARED,
}
# How contacts are taken to stand before they have said anything; the server hears the first of the others.
AT_REST: Final = {Input.EXIT: False, Input.FIRE: False}


class Listener:
    """Readers and contacts of one gate. Fire and the exit button act here and now; the rest is passed on."""

    def __init__(
        self,
        post: Post,
        upkeep: Upkeep,
        held: Held,
        *,
        readers: Sequence[Reader] = (),
        inputs: Sequence[Inputs] = (),
    ) -> None:
        self._post = post
        self._upkeep = upkeep
        self._held = held
        self._readers = tuple(readers)
        self._inputs = tuple(inputs)
        self._stands: dict[tuple[Input, int, str], bool] = {}  # by meaning, device and name
        self._untold: deque[Door] = deque(maxlen=MOST_UNTOLD)
        self._next_telling = float("-inf")
        self._typed: dict[str, str] = {}

    def listen(self, heard: Callable[[Seen], None]) -> None:
        """One round over all devices; whatever was shown goes to `heard`."""
        for device, inputs in enumerate(self._inputs):
            self._drain(device, inputs)
        self._held.keep()
        now = self._post.clock.monotonic()
        # All that has arrived was shown by now, even if deciding the first of it takes long.
        shown = [seen for reader in self._readers for seen in self._read(reader, now)]
        self._tell()
        for seen in shown:
            heard(seen)

    def _drain(self, device: int, inputs: Inputs) -> None:
        try:
            for _ in range(MOST_AT_ONCE):
                change = inputs.poll()
                if change is None:
                    return
                self._changed(device, change)
        except Unavailable:
            self._post.statistics.input_failures += 1

    def _changed(self, device: int, change: InputChange) -> None:
        """Each press of a button counts; else of several contacts of one meaning, whether any is active."""
        contact = (change.input, device, change.contact)
        if self._stands.get(contact, AT_REST.get(change.input)) == change.active:
            return
        before = self._is_active(change.input)
        self._stands[contact] = change.active
        after = self._is_active(change.input)
        if change.input is Input.EXIT:
            self._take(change.input, active=change.active)
        elif after is not before:
            self._take(change.input, active=bool(after))

    def _is_active(self, meaning: Input) -> bool | None:
        """Whether any contact of that meaning is active; None if none has spoken that must."""
        said = [active for (means, _, _), active in self._stands.items() if means is meaning]
        return any(said) if said else AT_REST.get(meaning)

    def _take(self, meaning: Input, *, active: bool) -> None:
        self._act(InputChange(meaning, active))
        state = STATES.get((meaning, active))
        if state is not None:
            self._report(state)

    def _act(self, change: InputChange) -> None:
        orders = self._post.orders
        match change:
            case InputChange(Input.FIRE, active):
                self._held.fire(active)
            case InputChange(Input.EXIT, True) if orders.exit_opens:
                self._post.move(orders.open_seconds)
            case InputChange(Input.DOOR, False) if orders.relocks and not self._held.is_open_to_all:
                self._post.barrier.shut()

    def _report(self, state: Door) -> None:
        self._untold.append(state)
        self._next_telling = float("-inf")

    def _tell(self) -> None:
        """Hand on what doors say, in order; what could not be kept is tried again."""
        now = self._post.clock.monotonic()
        if not self._untold or now < self._next_telling:
            return
        try:
            while self._untold:
                self._upkeep.report_door(self._untold[0])
                self._untold.popleft()
        except DoorwardError:
            self._post.statistics.faults += 1
            self._next_telling = now + TELL_AGAIN_SECONDS

    def _read(self, reader: Reader, now: float) -> list[Seen]:
        found: list[Seen] = []
        try:
            for _ in range(MOST_AT_ONCE):
                event = reader.poll()
                if event is None:
                    break
                seen = self._seen(event, now)
                found += [seen] if seen else []
        except Unavailable:
            self._post.statistics.reader_failures += 1
        return found

    def _seen(self, event: ReaderEvent | KeyPressed | ReaderCondition, now: float) -> Seen | None:
        match event:
            case ReaderCondition(condition):
                if condition in CONDITIONS:
                    self._report(CONDITIONS[condition])
                return None
            case KeyPressed(digits, reader_id):
                pin = self._typing(digits, reader_id)
                return Seen(pin=pin, at=now) if pin else None
            case ReaderEvent(Shown.CARD, value):
                return Seen(card=value, at=now)
            case ReaderEvent(Shown.QR, value):
                return Seen(qr=value, at=now)
            case ReaderEvent(Shown.PIN, value):
                return Seen(pin=value, at=now)
        return None

    def _typing(self, digits: str, reader_id: str) -> str | None:
        """The PIN once `#` ends it; `*` forgets what was typed."""
        typed, done = self._typed.get(reader_id, ""), None
        for key in digits:
            if key == "#":
                typed, done = "", typed or done
            else:
                typed = "" if key == "*" else (typed + key)[-LONGEST_PIN:]
        self._typed[reader_id] = typed
        return done
