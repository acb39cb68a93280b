"""An agent in a process of its own, which pulls its own plug at a named step."""

import os
import resource
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from doorward.core.errors import Unavailable
from doorward.core.wire import Kind, Signed
from doorward_edge.clock import ClockWatch, SystemClock
from doorward_edge.doorman import Doorman
from doorward_edge.drivers.http_link import HttpLink, Server
from doorward_edge.held import Held
from doorward_edge.journal import Journal
from doorward_edge.passage import Seen
from doorward_edge.ports import BarrierState, Movement, Step
from doorward_edge.post import Post
from doorward_edge.standalone import Standalone
from doorward_edge.state import AgentState
from doorward_edge.trust import Trust
from doorward_edge.upkeep import Upkeep
from tests.edge.world import AGENT_KEY, CARD, ORDERS, SERVER_KEY


class NotedBarrier:
    """Leaves a durable mark for each movement."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self, seconds: int) -> Movement:
        with self._path.open("a") as file:
            file.write("open\n")
            file.flush()
            os.fsync(file.fileno())
        return Movement.MOVED

    def movement(self) -> Movement:
        return Movement.MOVED

    def shut(self) -> None:
        pass

    def state(self) -> BarrierState:
        return BarrierState.UNKNOWN


class Line:
    """The real link behind a switch."""

    def __init__(self, link: HttpLink) -> None:
        self._link = link
        self.is_cut = False

    def _check(self) -> None:
        if self.is_cut:
            raise Unavailable("The line is cut.")

    def ask(self, sighting: Signed) -> Signed:
        self._check()
        return self._link.ask(sighting)

    def report(self, kind: Kind, message: Signed) -> None:
        self._check()
        self._link.report(kind, message)

    def replay(self, entries: Sequence[Signed], restart: Signed | None = None) -> Signed:
        self._check()
        return self._link.replay(entries, restart)

    def standing(self, request: Signed) -> Signed:
        self._check()
        return self._link.standing(request)

    def handovers(self, request: Signed) -> Sequence[Signed]:
        self._check()
        return self._link.handovers(request)

    def fetch(self, request: Signed) -> Signed:
        self._check()
        return self._link.fetch(request)


def main(folder: Path, url: str, plan: str, fatal: str) -> None:
    """Plans: `online`, `alone`, `settle` (hand over what waits), `full` (no disk left for the agent)."""

    def checkpoint(step: Step) -> None:
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    clock, line = SystemClock(), Line(HttpLink(Server(url=url, site_id="site_a")))
    state = AgentState(folder / "agent.state", AGENT_KEY)
    post = Post(
        orders=replace(ORDERS, retry_seconds=0.0),
        key=AGENT_KEY,
        trust=Trust([SERVER_KEY.public_key()], state, clock),
        state=state,
        link=line,
        barrier=NotedBarrier(folder / "movements"),
        clock=clock,
        watch=ClockWatch(clock),
        checkpoint=checkpoint,
    )
    journal = Journal(post)
    held = Held(post.barrier, clock, post.statistics)
    upkeep = Upkeep(post, journal, held)
    upkeep.recover()
    upkeep.round()
    if plan == "full":
        size = sum(path.stat().st_size for path in folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, size * 10))
    if plan != "settle":
        line.is_cut = plan == "alone"
        decision = Doorman(post, upkeep, Standalone(post, upkeep, journal, held)).pass_one(Seen(card=CARD))
        line.is_cut = False
        sys.stdout.write(f"{decision.opens} {decision.because} {decision.moved}\n")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
        upkeep.round()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:5])
