"""Everything one gate's agent stands on, handed around as one value."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.wire import Direction, Signed, codecs, seal_message
from doorward_edge.clock import ClockWatch
from doorward_edge.ports import Barrier, Checkpoint, Clock, Link, go_on
from doorward_edge.state import AgentState
from doorward_edge.statistics import AgentStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the operator set for this agent; times in seconds.

    `expects` are the parts of one passage (`card`, `face`, ...), gathered for at most `gather_seconds`.
    `direction` holds until the server's policy says it; a way out opens whatever fails.
    """

    agent_id: str
    gate_id: str
    direction: Direction = Direction.IN
    expects: frozenset[str] = frozenset({"face"})
    gather_seconds: float = 6.0
    open_seconds: int = 5
    retry_seconds: float = 5.0
    refresh_seconds: float = 60.0
    command_seconds: float = 1.0
    least_plate_frames: int = 3
    least_character_confidence: float = 0.5
    most_refusals_kept: int = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One agent at its gate."""

    orders: Orders
    key: Ed25519PrivateKey = field(repr=False)
    server_key: Ed25519PublicKey
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
