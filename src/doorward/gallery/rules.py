"""Where the next template goes, who is alive in a block, and how often a requester may be refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from doorward.gallery.model import Block, SchemeName
from doorward.matching.parameters import BLOCK_SIZE, BLOCKS_PER_MASK

NOBODY = bytes(BLOCK_SIZE // 8)
BYTES_A_COORDINATE = {SchemeName.OWN: 4, SchemeName.SEAL: 8}  # of each of the 2048
MOST_REFUSED = 60.0  # at once
REFUSALS_A_SECOND = 1.0  # forgiven


def alive(bitmap: bytes) -> NDArray[np.bool_]:
    """Which of the 2048 slots of a block are alive."""
    return np.unpackbits(np.frombuffer(bitmap, np.uint8), bitorder="little").astype(np.bool_)


def bitmap_of(living: NDArray[np.bool_]) -> bytes:
    """The bitmap behind `alive`."""
    return np.packbits(living, bitorder="little").tobytes()


def free_slots(block: Block) -> list[int]:
    """The slots of a block that nobody has, lowest first."""
    return [int(slot) for slot in np.flatnonzero(~alive(block.living))]


def block_with_room(blocks: Sequence[Block]) -> Block | None:
    """The emptiest block that is not full: sealing it anew also clears whoever was forgotten there."""
    open_blocks = [block for block in blocks if block.living != bytes([255]) * len(NOBODY)]
    return min(open_blocks, key=lambda block: (not block.dirty, block.shelf_id, block.number), default=None)


def bytes_of_block(length: int, scheme: SchemeName) -> int:
    """How large a block is, however many are in it."""
    return BLOCK_SIZE * length * BYTES_A_COORDINATE[scheme]


def is_full(blocks_of_shelf: int) -> bool:
    """Whether a shelf takes no further block: its public mask serves no more secrets."""
    return blocks_of_shelf >= BLOCKS_PER_MASK


@dataclass(frozen=True, slots=True)
class Refusals:
    """A leaky bucket of refusals of one requester. Answers tell yes or no; many of them rebuild a face."""

    level: float = 0.0
    at: datetime | None = None

    def leaked(self, now: datetime) -> float:
        """How full it is now. A clock that was set back forgives nothing."""
        passed = max(now - self.at, timedelta(0)).total_seconds() if self.at else 0.0
        return max(self.level - passed * REFUSALS_A_SECOND, 0.0)

    def may_ask(self, now: datetime) -> bool:
        """Whether a search is made for this requester at all."""
        return self.leaked(now) < MOST_REFUSED

    def refused(self, now: datetime) -> "Refusals":
        """The bucket after one more refusal."""
        return Refusals(self.leaked(now) + 1, now)
