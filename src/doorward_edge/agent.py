"""Watch, report, obey: the loop beside the gate."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from doorward.core.errors import DoorwardError
from doorward_edge.commands import Commands
from doorward_edge.doorman import Doorman
from doorward_edge.held import Held
from doorward_edge.inbox import Inbox
from doorward_edge.journal import Journal
from doorward_edge.listening import Listener
from doorward_edge.passage import Decision, Gathering, Seen
from doorward_edge.ports import Inputs, Reader, Sign
from doorward_edge.post import Post
from doorward_edge.standalone import Standalone
from doorward_edge.upkeep import Upkeep

POLL_SECONDS: Final = 0.02
ERRAND_SECONDS: Final = 0.05
REOPEN_SECONDS: Final = 5.0
MOST_ROUNDS: Final = 10_000
Watcher = Callable[[], Iterator[Seen | None]]


@dataclass(frozen=True, slots=True)
class _Over:
    """The camera's last word: None if the source simply ended."""

    problem: Exception | None = None


class Agent:
    """One gate. Camera, readers and contacts, orders, and errands to the server have a thread each.

    So nobody who stands before the gate waits for a policy or a journal on its way, an order never waits for
    a passage, and all that is seen is stamped when it is captured. `watch` opens the camera and yields what
    it sees. With `forever`, a camera that fails is opened again and the agent ends only by `stop`; without
    it the end of the source ends the agent, and its failure is raised after the last decision.
    """

    def __init__(
        self,
        post: Post,
        *,
        watch: Watcher | None = None,
        readers: Sequence[Reader] = (),
        inputs: Sequence[Inputs] = (),
        forever: bool = True,
    ) -> None:
        self._post = post
        self._watch = watch
        self._readers = tuple(readers)
        self._forever = forever
        self._journal = Journal(post)
        self.held = Held(post.barrier, post.clock, post.statistics)
        self.upkeep = Upkeep(post, self._journal, self.held)
        self.doorman = Doorman(post, self.upkeep, Standalone(post, self.upkeep, self._journal, self.held))
        self.commands = Commands(post, self.upkeep, self.held)
        self.listener = Listener(post, self.upkeep, self.held, readers=readers, inputs=inputs)
        orders = post.orders
        self._gathering = Gathering(
            orders.expects, seconds=orders.gather_seconds, longest=orders.challenge_seconds
        )
        self._inbox: Inbox[Seen | Decision | _Over] = Inbox(waits=not forever)
        self._stopped = threading.Event()
        self._looks_at_somebody = False
        self._shows: Sign | None = None

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
        self._guarded(self.upkeep.round)
        threads = self._threads()
        for thread in threads:
            thread.start()
        try:
            yield from self._work()
        finally:
            self._stopped.set()
            self._inbox.close()
            # At once, and again after the last thread that might have opened it.
            self._post.barrier.shut()
            for thread in threads:
                thread.join(timeout=10)
            self._post.barrier.shut()

    def _threads(self) -> list[threading.Thread]:
        deeds: list[tuple[str, Callable[[], None]]] = [
            ("devices", lambda: self._repeat(self._listen, POLL_SECONDS)),
            ("orders", lambda: self._repeat(self._obey, POLL_SECONDS)),
            ("errands", lambda: self._repeat(self.upkeep.look_after, ERRAND_SECONDS)),
        ]
        if self._watch is not None:
            deeds.append(("camera", self._see))
        return [threading.Thread(target=deed, daemon=True, name=name) for name, deed in deeds]

    def _repeat(self, deed: Callable[[], object], pause: float) -> None:
        while not self._stopped.is_set():
            self._guarded(deed)
            self._stopped.wait(pause)

    def _guarded(self, deed: Callable[[], object]) -> None:
        try:
            deed()
        except Exception:  # the edge of each loop: whatever went wrong, the others and the next round go on
            self._post.statistics.faults += 1

    def _listen(self) -> None:
        self.listener.listen(self._inbox.put)

    def _obey(self) -> None:
        for decision in self.commands.look():
            self._inbox.put(decision)

    def _work(self) -> Iterator[Decision]:
        while not self._stopped.is_set():
            part = self._inbox.get(timeout=POLL_SECONDS)
            self._post.statistics.parts_dropped = self._inbox.dropped
            if isinstance(part, _Over):
                yield from self._end(part)
                return
            if isinstance(part, Decision):
                yield part
                continue
            yield from self._take(part)
        yield from self._decide(self._gathering.flush())

    def _end(self, over: _Over) -> Iterator[Decision]:
        """After the last frame: what readers still hold, what is unfinished, what the server lacks."""
        rest: list[Seen] = []
        self._guarded(lambda: self.listener.listen(rest.append))
        for part in rest:
            yield from self._take(part)
        yield from self._decide(self._gathering.flush())
        self.settle()
        if over.problem is not None:
            raise over.problem

    def _take(self, part: Seen | None) -> Iterator[Decision]:
        now = self._post.clock.monotonic()
        if self._looks_at_somebody:
            self._gathering.wait(now)
        if part is not None and self._is_too_old(part, now):
            self._post.statistics.parts_too_old += 1
        elif part is not None and part.problem is not None and not part.kinds:
            # Somebody who could not be seen well is told why, and nothing is asked about them.
            yield Decision(seen=part)
        elif part is not None:
            yield from self._decide(self._gathering.add(part, now))
        yield from self._decide(self._gathering.due(now))
        self._show_what_is_missing()

    def _is_too_old(self, part: Seen, now: float) -> bool:
        """Whoever showed this may be gone; a recorded source has no now."""
        return self._forever and part.at is not None and now - part.at > self._post.orders.stale_seconds

    def _decide(self, seen: Seen | None) -> Iterator[Decision]:
        if seen is None:
            return
        decision = self._pass_one(seen)
        self._tell(_sign_of(decision))
        yield decision

    def _pass_one(self, seen: Seen) -> Decision:
        try:
            return self.doorman.pass_one(seen)
        except Exception:  # the edge of the loop: whatever went wrong, the gate stays shut and work goes on
            self._post.statistics.faults += 1
            return self.doorman.after_a_fault(seen)

    def _show_what_is_missing(self) -> None:
        lacks = self._gathering.lacks
        if "pin" in lacks:
            self._tell(Sign.ENTER_PIN)
        elif lacks:
            self._tell(Sign.LOOK if lacks & {"face", "plate"} else Sign.WAIT)

    def _tell(self, sign: Sign) -> None:
        if sign is self._shows and sign not in {Sign.GRANTED, Sign.REFUSED, Sign.JAMMED}:
            return
        self._shows = sign
        for reader in self._readers:
            self._guarded(lambda reader=reader: reader.tell(sign))  # type: ignore[misc]

    def settle(self) -> None:
        """Hand over what waits, if the server is there; nothing is lost if it is not."""
        try:
            for _ in range(MOST_ROUNDS):
                self.upkeep.deliver()
                if not self.upkeep.waits:
                    return
        except DoorwardError:
            self._post.statistics.link_failures += 1

    def _see(self) -> None:
        """The camera's thread: everything seen goes into the inbox, the end as well."""
        assert self._watch is not None
        while not self._stopped.is_set():
            over = self._see_until_it_ends(self._watch)
            self._looks_at_somebody = False
            if not self._forever:
                self._inbox.put(over)
                return
            self._post.statistics.camera_failures += 1
            self._stopped.wait(REOPEN_SECONDS)

    def _see_until_it_ends(self, watch: Watcher) -> _Over:
        try:
            for seen in watch():
                self._looks_at_somebody = seen is not None and seen.waits
                if seen is not None and not seen.waits:
                    self._inbox.put(replace(seen, at=self._post.clock.monotonic()))
                if self._stopped.is_set():
                    break
        except Exception as problem:  # the edge of the camera's loop: its failure is an answer, not a crash
            return _Over(problem)
        return _Over()


def _sign_of(decision: Decision) -> Sign:
    if not decision.opens:
        return Sign.REFUSED
    return Sign.GRANTED if decision.moved is not False else Sign.JAMMED
