"""Everything one gate's agent stands on, handed around as one value."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import Unavailable
from doorward.core.wire import Direction, Request, Signed, Wants, codecs, seal_message
from doorward.core.wire.codecs import M
from doorward_edge.clock import ClockWatch
from doorward_edge.ports import Barrier, Checkpoint, Clock, Link, Movement, go_on
from doorward_edge.state import AgentState
from doorward_edge.statistics import AgentStatistics
from doorward_edge.trust import Trust

ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the operator set for this agent; times in seconds.

    `expects` are alternatives of parts (`card`, `face`, ...) that make a passage; whatever is not complete
    is decided after `gather_seconds`. `direction` holds until the server's policy says it; a way out opens
    whatever fails. What waited for longer than `stale_seconds` to be decided is nobody who stands here now.
    """

    agent_id: str
    gate_id: str
    direction: Direction = Direction.IN
    expects: tuple[frozenset[str], ...] = (frozenset({"face"}),)
    gather_seconds: float = 6.0
    challenge_seconds: float = 30.0
    stale_seconds: float = 5.0
    open_seconds: int = 5
    retry_seconds: float = 5.0
    refresh_seconds: float = 60.0
    command_seconds: float = 1.0
    acknowledge_seconds: float = 2.0
    exit_opens: bool = False
    relocks: bool = False
    most_refusals_kept: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One agent at its gate."""

    orders: Orders
    key: Ed25519PrivateKey = field(repr=False)
    trust: Trust
    state: AgentState
    link: Link
    barrier: Barrier
    clock: Clock
    watch: ClockWatch
    statistics: AgentStatistics = field(default_factory=AgentStatistics)
    checkpoint: Checkpoint = go_on

    def sign(self, message: codecs.Message) -> Signed:
        """The message under this agent's name."""
        return seal_message(self.key, self.orders.agent_id, message)

    def request(self, wants: Wants) -> Request:
        """A question of this agent's, with a nonce of its own."""
        return Request(
            agent_id=self.orders.agent_id,
            gate_id=self.orders.gate_id,
            wants=wants,
            nonce=secrets.token_bytes(16),
            sent_at=self.clock.wall(),
        )

    def open(self, shape: type[M], answer: Signed) -> M:
        """What the server said; `Tampered` if no key of its own signed it."""
        return self.trust.open(shape, answer, self._introduce)

    def _introduce(self) -> Sequence[Signed]:
        return self.link.handovers(self.sign(self.request(Wants.KEYS)))

    def move(self, seconds: int) -> bool:
        """Open the barrier, and wait until it says whether it moved, for a while."""
        try:
            movement = self.barrier.open(seconds)
            until = self.clock.monotonic() + self.orders.acknowledge_seconds
            while movement is Movement.COMING and self.clock.monotonic() < until:
                self.clock.sleep(ASK_AGAIN_SECONDS)
                movement = self.barrier.movement()
        except Unavailable:
            movement = Movement.FAILED
        self.statistics.not_moved += movement is not Movement.MOVED
        return movement is Movement.MOVED
