"""An agent to stand before a small server, and its clocks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from doorward_edge.clock import ClockWatch
from doorward_edge.commands import Commands
from doorward_edge.doorman import Doorman
from doorward_edge.drivers.simulated import SimulatedBarrier
from doorward_edge.held import Held
from doorward_edge.journal import Journal
from doorward_edge.ports import Checkpoint, Link, go_on
from doorward_edge.post import Orders, Post
from doorward_edge.standalone import Standalone
from doorward_edge.state import AgentState
from doorward_edge.trust import Trust
from doorward_edge.upkeep import Upkeep
from tests.edge.fake_server import (
    AGENT_KEY,
    CARD,
    JOURNAL_KEY,
    NOON,
    SERVER_KEY,
    STRANGER_KEY,
    FakeServer,
)

__all__ = [
    "AGENT_KEY",
    "CARD",
    "JOURNAL_KEY",
    "NOON",
    "ORDERS",
    "SERVER_KEY",
    "STRANGER_KEY",
    "FakeServer",
    "HandClock",
    "World",
]
ORDERS = Orders(agent_id="agent_a", gate_id="gate_a", expects=(frozenset({"card"}),), gather_seconds=1.0)


class HandClock:
    """Both clocks, moved by hand."""

    def __init__(self) -> None:
        self.time = NOON
        self.ran = 1000.0

    def wall(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.ran

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.ran += seconds
        self.time += timedelta(seconds=seconds)


@dataclass
class World:
    """An agent before its server; `restart` is what a power cut leaves."""

    folder: Path
    clock: HandClock = field(default_factory=HandClock)
    orders: Orders = ORDERS
    checkpoint: Checkpoint = go_on
    link: Link | None = None
    state: AgentState | None = None

    def __post_init__(self) -> None:
        self.server = FakeServer(now=lambda: self.clock.time)
        self.barrier = SimulatedBarrier(self.clock)
        self.start()

    def start(self) -> None:
        state = self.state or AgentState(self.folder / "agent.state", AGENT_KEY)
        self.post = Post(
            orders=self.orders,
            key=AGENT_KEY,
            trust=Trust([SERVER_KEY.public_key()], state, self.clock),
            state=state,
            link=self.link or self.server,
            barrier=self.barrier,
            clock=self.clock,
            watch=ClockWatch(self.clock),
            checkpoint=self.checkpoint,
        )
        self.journal = Journal(self.post)
        self.held = Held(self.barrier, self.clock, self.post.statistics)
        self.upkeep = Upkeep(self.post, self.journal, self.held)
        alone = Standalone(self.post, self.upkeep, self.journal, self.held)
        self.doorman = Doorman(self.post, self.upkeep, alone)
        self.commands = Commands(self.post, self.upkeep, self.held)
        self.upkeep.recover()
        self.upkeep.round()

    def restart(self, link: Link | None = None) -> None:
        self.post.state.close()
        self.link = link
        self.start()

    def cut(self) -> None:
        """The line is cut, and the agent knows it."""
        self.server.away = True
        self.upkeep.lost()

    def mend(self) -> None:
        """The line is back and the agent tries it."""
        self.server.away = False
        self.clock.advance(self.orders.retry_seconds)
        self.upkeep.round()
