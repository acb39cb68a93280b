"""Multiplies an encrypted query with encrypted blocks: all that a matcher does. No secret is ever here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import int32, int64, uint32, uint64
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import Cells, are_cells
from doorward.matching.compiling import cells_at, compiled, fetch, given, into
from doorward.matching.parameters import BLOCKS_PER_MASK, MODULUS, RING_DEGREE
from doorward.matching.queries import Query
from doorward.matching.ring import LINE, Words
from doorward.matching.sharing import spread

Q = MODULUS
TILE = 64  # rows of the query that stay in the processor's cache while every block passes by
AHEAD = 8192
"""Bytes asked for before they are needed, into the next block too: no processor foresees where that lies."""
SHARED_FROM = 16  # with fewer blocks one thread is sooner done than two that wait for each other


@dataclass(frozen=True, slots=True)
class Answer:
    """The two halves of the encrypted cosines of one query with one shelf: uint32 (blocks, n) each."""

    face: Words
    mask: Words


class Shelf:
    """Up to 64 blocks under one mask, wherever they lie in memory: read-only mappings of files will do."""

    def __init__(self, blocks: Sequence[Cells]) -> None:
        if len(blocks) > BLOCKS_PER_MASK:
            raise Invalid(f"At most {BLOCKS_PER_MASK} blocks share a mask.")
        if any(block.ndim != 2 or not are_cells(block, blocks[0].shape[1]) for block in blocks):
            raise Invalid("A block is a contiguous int32 matrix of 2048 rows, as long as its neighbours.")
        self._blocks = tuple(blocks)  # held, so that the addresses stay true
        self._addresses = np.array([block.ctypes.data for block in blocks], np.uint64)

    def __len__(self) -> int:
        return len(self._blocks)

    def block(self, place: int) -> Cells:
        """The block at a place."""
        return self._blocks[place]

    def with_block(self, place: int, block: Cells) -> "Shelf":
        """This shelf with a block in place of another, or one more at its end."""
        if not 0 <= place <= len(self):
            raise Invalid("Blocks of a shelf follow one after the other.")
        blocks = list(self._blocks)
        blocks[place : place + 1] = [block]
        return Shelf(blocks)

    def answer(self, query: Query, *, threads: int = 1) -> Answer:
        """The encrypted cosines of a query with everybody here."""
        if self._blocks and self._blocks[0].shape != query.face.shape:
            raise Invalid("This query is for templates of another length.")
        face = np.empty((len(self), RING_DEGREE), np.uint32)
        answer = Answer(face, np.empty_like(face))
        query_mask = query.mask

        def some(start: int, end: int) -> None:
            rows = (start * TILE, end * TILE)
            _multiply(self._addresses, query.face, query_mask, *rows, answer.face, answer.mask)

        spread(some, RING_DEGREE // TILE, threads=threads if len(self) >= SHARED_FROM else 1)
        return answer


@compiled(given(uint64, 1), given(int32, 2), given(int32, 2), int64, int64, into(uint32, 2), into(uint32, 2))
def _multiply(
    addresses: NDArray[np.uint64],
    face: Cells,
    mask: Cells,
    low: int,
    high: int,
    face_out: Words,
    mask_out: Words,
) -> None:
    shape, width = face.shape, uint64(4 * face.shape[1])
    ahead = max(1, AHEAD // (4 * shape[1]))  # rows
    for tile in range(low, high, TILE):
        for b in range(addresses.shape[0]):
            block = cells_at(addresses[b], shape)
            following = addresses[min(b + 1, addresses.shape[0] - 1)]
            for k in range(tile, tile + TILE):
                then = k + ahead
                soon = addresses[b] + uint64(then) * width
                if then >= tile + TILE:
                    soon = following + uint64(then - TILE) * width
                for place in range(uint64(0), width, uint64(LINE)):
                    fetch(soon + place)
                f, m = int64(0), int64(0)
                for i in range(shape[1]):
                    cell = int64(block[k, i])
                    f += cell * int64(face[k, i])
                    m += cell * int64(mask[k, i])
                face_out[b, k] = uint32(f % int64(Q))
                mask_out[b, k] = uint32(m % int64(Q))
