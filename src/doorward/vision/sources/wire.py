"""What a video source and its caged decoder say to each other."""

import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum

# kind, decoded, late (due but skipped), unreadable, seconds since the first frame, height, width
RECORD = struct.Struct("!BQQQdII")
MAX_PIXELS = 40_000_000
HEARTBEAT_SECONDS = 0.5


class Kind(IntEnum):
    """What a record tells: a frame follows, all is well, or how it ended."""

    FRAME = 1
    ALIVE = 2
    END = 3
    NOT_A_VIDEO = 4
    NO_PICTURE = 5
    REFUSED = 6
    LOST = 7
    TOO_LARGE = 8


@dataclass(frozen=True, slots=True)
class Order:
    """What the caged decoder shall play; it travels by standard input because `where` may hold a password."""

    kind: str
    where: str
    frames_per_second: float | None
    longest_side: int
    real_time: bool
    stall_seconds: float

    def __repr__(self) -> str:
        return f"Order({self.kind})"

    def line(self) -> bytes:
        """The order as one line."""
        return json.dumps(asdict(self)).encode() + b"\n"


def read_order(line: bytes) -> Order:
    """The order of one line."""
    return Order(**json.loads(line))
