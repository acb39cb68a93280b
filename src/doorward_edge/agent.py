"""Watch, report, obey: the loop beside the gate."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from doorward.core.errors import DoorwardError, Unavailable
from doorward_edge.commands import Commands
from doorward_edge.doorman import Doorman
from doorward_edge.journal import Journal
from doorward_edge.passage import Decision, Gathering, Seen
from doorward_edge.ports import DoorSensor, Reader, ReaderEvent, Shown
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep

POLL_SECONDS: Final = 0.02
REOPEN_SECONDS: Final = 5.0
Watcher = Callable[[], Iterator[Seen | None]]


@dataclass(frozen=True, slots=True)
class _Over:
    """The camera's last word: None if the source simply ended."""

    problem: Exception | None = None


class Agent:
    """One gate. `watch` opens the camera and yields what it sees; it runs in a thread of its own.

    With `forever`, a camera that fails is opened again and the agent ends only by `stop`; without it the
    end of the source ends the agent, and its failure is raised after the last decision.
    """

    def __init__(
        self,
        post: Post,
        *,
        watch: Watcher | None = None,
        readers: Sequence[Reader] = (),
        sensor: DoorSensor | None = None,
        forever: bool = True,
    ) -> None:
        self._post = post
        self._watch = watch
        self._readers = tuple(readers)
        self._sensor = sensor
        self._forever = forever
        self._journal = Journal(post)
        self.upkeep = Upkeep(post, self._journal)
        self.doorman = Doorman(post, self.upkeep, self._journal)
        self.commands = Commands(post, self.upkeep)
        self._gathering = Gathering(post.orders.expects, seconds=post.orders.gather_seconds)
        self._parts: queue.Queue[Seen | _Over] = queue.Queue(maxsize=16)
        self._stopped = threading.Event()

    @property
    def post(self) -> Post:
        """What the agent stands on."""
        return self._post

    def stop(self) -> None:
        """End after the passage under way; may be called from a signal handler or another thread."""
        self._stopped.set()

    def passages(self) -> Iterator[Decision]:
        """Work, and yield each decision after the barrier has moved or stayed; shut at both ends."""
        # A relay that was on when the last process died is still on.
        self._post.barrier.shut()
        self.upkeep.recover()
        self.upkeep.round()
        camera = threading.Thread(target=self._see, daemon=True, name="camera")
        if self._watch is not None:
            camera.start()
        try:
            yield from self._work()
        finally:
            self._stopped.set()
            self._post.barrier.shut()
            if camera.ident is not None:
                camera.join(timeout=10)

    def _work(self) -> Iterator[Decision]:
        while not self._stopped.is_set():
            part = self._next_part()
            if isinstance(part, _Over):
                yield from self._decide(self._gathering.flush())
                self.settle()
                if part.problem is not None:
                    raise part.problem
                return
            yield from self._take(part)
            yield from self._round()
        yield from self._decide(self._gathering.flush())

    def _next_part(self) -> Seen | _Over | None:
        shown = self._read()
        if shown is not None:
            return shown
        try:
            return self._parts.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return None

    def _read(self) -> Seen | None:
        for reader in self._readers:
            try:
                event = reader.poll()
            except Unavailable:
                self._post.statistics.reader_failures += 1
                continue
            if event is not None:
                return _shown(event)
        return None

    def _take(self, part: Seen | None) -> Iterator[Decision]:
        now = self._post.clock.monotonic()
        if part is not None and part.problem is not None and not part.kinds:
            # Somebody who could not be seen well is told why, and nothing is asked about them.
            yield Decision(seen=part)
        elif part is not None:
            yield from self._decide(self._gathering.add(part, now))
        yield from self._decide(self._gathering.due(now))

    def _decide(self, seen: Seen | None) -> Iterator[Decision]:
        if seen is None:
            return
        decision = self._pass_one(seen)
        for reader in self._readers:
            reader.tell(decision.opens)
        yield decision

    def _pass_one(self, seen: Seen) -> Decision:
        try:
            return self.doorman.pass_one(seen)
        except Exception:  # the edge of the loop: whatever went wrong, the gate stays shut and work goes on
            self._post.statistics.faults += 1
            return self.doorman.after_a_fault(seen)

    def _round(self) -> list[Decision]:
        try:
            self.upkeep.look_after()
            change = self._sensor.poll() if self._sensor else None
            if change is not None:
                self.upkeep.report_door(change)
            return self.commands.look()
        except DoorwardError:
            self._post.statistics.faults += 1
            return []

    def settle(self) -> None:
        """Hand over what waits, if the server is there; nothing is lost if it is not."""
        try:
            self.upkeep.deliver()
        except DoorwardError:
            self._post.statistics.link_failures += 1

    def _see(self) -> None:
        """The camera's thread: everything seen goes into the queue, the end as well."""
        assert self._watch is not None
        while not self._stopped.is_set():
            over = self._see_until_it_ends(self._watch)
            if not self._forever:
                self._put(over)
                return
            self._post.statistics.camera_failures += 1
            self._stopped.wait(REOPEN_SECONDS)

    def _see_until_it_ends(self, watch: Watcher) -> _Over:
        try:
            for seen in watch():
                if seen is not None:
                    self._put(seen)
                if self._stopped.is_set():
                    break
        except Exception as problem:  # the edge of the camera's loop: its failure is an answer, not a crash
            return _Over(problem)
        return _Over()

    def _put(self, part: Seen | _Over) -> None:
        while not self._stopped.is_set():
            try:
                self._parts.put(part, timeout=0.2)
            except queue.Full:
                continue
            return


def _shown(event: ReaderEvent) -> Seen:
    match event.kind:
        case Shown.CARD:
            return Seen(card=event.value)
        case Shown.QR:
            return Seen(qr=event.value)
        case Shown.PIN:
            return Seen(pin=event.value)


def passages(agent: Agent) -> Iterator[Decision]:
    """Every decision of an agent, as it happens."""
    return agent.passages()
