"""Multiplies an encrypted query with encrypted blocks: all that a matcher does. No secret is ever here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import int32, int64, uint32, uint64
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import Cells, are_cells
from doorward.matching.compiling import cells_at, compiled, fetch, given, into, part
from doorward.matching.parameters import BLOCKS_PER_MASK, MODULUS, RING_DEGREE
from doorward.matching.queries import Query
from doorward.matching.ring import LINE, Words
from doorward.matching.sharing import spread

Q = MODULUS
TILE = 64  # rows of the query that stay in the processor's cache while every block passes by
AHEAD = 4096
"""Bytes asked for before they are needed, into the next blocks too: no processor foresees where those lie."""
TOGETHER = 3  # blocks side by side: what is read of the query serves all of them
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
    blocks = addresses.shape[0]
    whole = blocks - blocks % TOGETHER
    for tile in range(low, high, TILE):
        for b in range(0, whole, TOGETHER):
            after = min(b + TOGETHER, blocks - TOGETHER)
            _three(addresses, b, after, face, mask, tile, face_out, mask_out)
        for b in range(whole, blocks):
            _one(addresses[b], face, mask, tile, face_out[b], mask_out[b])


@part
def _three(
    addresses: NDArray[np.uint64],
    b: int,
    after: int,
    face: Cells,
    mask: Cells,
    tile: int,
    face_out: Words,
    mask_out: Words,
) -> None:
    """A tile of three blocks from b on, those from `after` being next."""
    shape, width = face.shape, uint64(4 * face.shape[1])
    ahead = max(1, AHEAD // (4 * shape[1]))  # rows
    one, two = cells_at(addresses[b], shape), cells_at(addresses[b + 1], shape)
    three = cells_at(addresses[b + 2], shape)
    for k in range(tile, tile + TILE):
        then, soon = k + ahead, b
        if then >= tile + TILE:
            then, soon = then - TILE, after
        for j in range(soon, soon + TOGETHER):
            start = addresses[j] + uint64(then) * width
            for place in range(uint64(0), width, uint64(LINE)):
                fetch(start + place)
        f1, m1, f2, m2, f3, m3 = int64(0), int64(0), int64(0), int64(0), int64(0), int64(0)
        for i in range(shape[1]):
            f, m = int64(face[k, i]), int64(mask[k, i])
            x, y, z = int64(one[k, i]), int64(two[k, i]), int64(three[k, i])
            f1, m1 = f1 + x * f, m1 + x * m
            f2, m2 = f2 + y * f, m2 + y * m
            f3, m3 = f3 + z * f, m3 + z * m
        face_out[b, k], mask_out[b, k] = uint32(f1 % int64(Q)), uint32(m1 % int64(Q))
        face_out[b + 1, k], mask_out[b + 1, k] = uint32(f2 % int64(Q)), uint32(m2 % int64(Q))
        face_out[b + 2, k], mask_out[b + 2, k] = uint32(f3 % int64(Q)), uint32(m3 % int64(Q))


@part
def _one(
    address: np.uint64,
    face: Cells,
    mask: Cells,
    tile: int,
    face_out: Words,
    mask_out: Words,
) -> None:
    """A tile of one block."""
    block = cells_at(address, face.shape)
    for k in range(tile, tile + TILE):
        f, m = int64(0), int64(0)
        for i in range(face.shape[1]):
            cell = int64(block[k, i])
            f += cell * int64(face[k, i])
            m += cell * int64(mask[k, i])
        face_out[k], mask_out[k] = uint32(f % int64(Q)), uint32(m % int64(Q))
