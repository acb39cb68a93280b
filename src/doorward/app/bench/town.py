"""A town of made-up people, sealed as a site seals its own: what the benchmark searches.

Templates are random directions, drawn anew from their number wherever they are needed, so that the town in
the clear and the town in blocks need not lie in memory together.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doorward.matching.blocks import BlockSecret, Cells, Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.parameters import BLOCK_SIZE, BLOCKS_PER_MASK
from doorward.matching.rotation import rotation, stored

Templates = NDArray[np.float32]
SITE = bytes(range(32))
PER_SHELF = BLOCK_SIZE * BLOCKS_PER_MASK


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock, and of all processors together."""

    wall: float
    cpu: float

    @staticmethod
    def now() -> "Spent":
        """To be taken from a later one."""
        return Spent(time.perf_counter(), time.process_time())

    def until(self, later: "Spent") -> "Spent":
        """What lies between the two."""
        return Spent(later.wall - self.wall, later.cpu - self.cpu)

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True, slots=True)
class Stocked:
    """One shelf: what the matcher holds, and what the key holder does."""

    mask: Mask
    blocks: list[Cells]
    secrets: list[BlockSecret]
    people: int
    shelf: Shelf
    keys: ShelfKeys


@dataclass(frozen=True, slots=True)
class Town:
    """All shelves, and what it took to seal them."""

    length: int
    people: int
    shelves: list[Stocked]
    spent: Spent

    @property
    def block_bytes(self) -> int:
        """What the matcher holds."""
        return sum(block.nbytes for one in self.shelves for block in one.blocks)

    def first(self, people: int) -> "Town":
        """The town when it was smaller; blocks are not copied."""
        whole, rest = divmod(people, PER_SHELF)
        shelves = self.shelves[:whole]
        if rest:
            part, count = self.shelves[whole], -(-rest // BLOCK_SIZE)
            shelves = [*shelves, _stocked(part.mask, part.blocks[:count], part.secrets[:count], rest)]
        return Town(self.length, people, shelves, self.spent)


def templates_of(low: int, high: int, length: int) -> Templates:
    """The people from one multiple of 2048 to a number: the same however often they are asked for."""
    out = np.empty((high - low, length), np.float32)
    for start in range(low, high, BLOCK_SIZE):
        rows = np.random.default_rng([length, start]).standard_normal((BLOCK_SIZE, length), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        out[start - low : start - low + BLOCK_SIZE] = rows[: high - start]
    return out


def seen_again(template: Templates, cosine: float, chance: np.random.Generator) -> Templates:
    """Another photo of the same face, so near to this one."""
    other = chance.standard_normal(len(template), dtype=np.float32)
    other -= (other @ template) * template
    seen: Templates = cosine * template + (1 - cosine**2) ** 0.5 * other / np.linalg.norm(other)
    return seen.astype(np.float32)


def build(people: int, length: int, threads: int) -> Town:
    """Seal so many people. Drawing their templates is not counted."""
    rotation(SITE, length)
    shelves, spent = [], Spent(0, 0)
    with ThreadPoolExecutor(threads) as pool:
        for low in range(0, people, PER_SHELF):
            high = min(low + PER_SHELF, people)
            rows = templates_of(low, high, length)
            mask = Mask.fresh(length)
            began = Spent.now()
            _ = mask.cells
            parts = [rows[start : start + BLOCK_SIZE] for start in range(0, len(rows), BLOCK_SIZE)]
            sealed = list(pool.map(lambda part, mask=mask: seal(stored(part, SITE), mask), parts))
            blocks, secrets = [block for block, _ in sealed], [secret for _, secret in sealed]
            shelves.append(_stocked(mask, blocks, secrets, high - low))
            spent += began.until(Spent.now())
    return Town(length, people, shelves, spent)


def _stocked(mask: Mask, blocks: list[Cells], secrets: list[BlockSecret], people: int) -> Stocked:
    keys = ShelfKeys(mask)
    for place, (block, secret) in enumerate(zip(blocks, secrets, strict=True)):
        keys.put(place, secret, block, None)
        keys.set_living(place, np.arange(BLOCK_SIZE) < people - place * BLOCK_SIZE)
    return Stocked(mask, blocks, secrets, people, Shelf(blocks), keys)
