"""The same search for those who want no cryptography of ours: SEAL makes keys, encrypts and decrypts.

    stored    BFV ciphertexts of m_i(X) = sum of x_{j,i} X^j, one a coordinate, one key a block
    asked     the rotated template in whole numbers, not encrypted: a matcher sees it

What the matcher computes is a sum of ciphertexts times whole numbers, the same loop as ours over twice the
memory. Scores are exact. The check of answers is Freivalds' as in `keyholder`: it asks nothing of the query
but that the key holder knows it.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import Cells, are_cells, centred
from doorward.matching.keyholder import Nearest
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.opening import accumulate, check_rows
from doorward.matching.parameters import BLOCK_SIZE, BLOCKS_PER_MASK, MODULUS, RING_DEGREE
from doorward.matching.queries import Query
from doorward.matching.rotation import turned
from doorward.matching.seal_library import PLAIN_MODULUS, SealLibrary

SCALE: Final = 133  # steps in a coordinate of 1.0, stored as asked
REACH: Final = 1.02 * SCALE  # of a template: up to 1 % too long, and its rounding
Numbers = NDArray[np.int32]

assert (1.02 * SCALE) ** 2 < PLAIN_MODULUS / 2


def stored(templates: NDArray[np.float32], seed: bytes) -> Numbers:
    """Templates (any, d) of length one as they are sealed; one of them is asked for in the same way."""
    steps: Numbers = np.rint(turned(templates, seed) * SCALE).astype(np.int32)
    return steps


@dataclass(frozen=True)
class SealedBlock:
    """2048 templates: the two polynomials of each coordinate's ciphertext, int32 (n, d) each, centred."""

    first: Cells
    second: Cells


@dataclass(frozen=True)
class PlainQuery:
    """What a matcher is given: the rotated template (d,) in the clear. `query` is itself."""

    numbers: Numbers = field(repr=False)

    @property
    def query(self) -> "PlainQuery":
        """What to send; nothing is kept back."""
        return self


def cells_of(block: SealedBlock) -> Cells:
    """A block as it is kept: one array (n, 2d), in whose memory one half follows the other."""
    return np.stack([block.first, block.second]).reshape(RING_DEGREE, -1)


def halves_of(cells: Cells) -> SealedBlock:
    """The block that is kept so, not copied; `Tampered` if none is."""
    if cells.ndim != 2 or cells.shape[1] % 2 or not are_cells(cells, cells.shape[1]):
        raise Tampered("A block of templates has another form than it was sealed in.")
    first, second = cells.reshape(2, RING_DEGREE, -1)
    return SealedBlock(first, second)


@dataclass(frozen=True)
class SealSecret:
    """What opens one block: SEAL's own bytes of its key, to be kept sealed, and its weight in the check."""

    saved: bytes = field(repr=False)
    check: int = field(repr=False)


def seal(steps: Numbers, library: SealLibrary) -> tuple[SealedBlock, SealSecret]:
    """Seal up to 2048 templates (rows, d) under a fresh key."""
    if steps.ndim != 2 or steps.dtype != np.int32 or len(steps) > BLOCK_SIZE:
        raise Invalid("A block takes up to 2048 templates in whole steps.")
    if len(steps) and float(np.linalg.norm(steps, axis=1).max()) > REACH:
        raise Invalid("A template is of length one.")
    message = np.zeros((RING_DEGREE, steps.shape[1]), np.int32)
    message[: len(steps)] = steps
    key = library.fresh_key()
    first, second = library.encrypted(key, message)
    weight = 1 + int.from_bytes(os.urandom(8), "little") % (MODULUS - 1)
    return SealedBlock(centred(first), centred(second)), SealSecret(library.key_bytes(key), weight)


def unseal(block: SealedBlock, secret: SealSecret, library: SealLibrary) -> Numbers:
    """The steps (n, d) that were sealed, exactly; `Tampered` if this is no block of this key."""
    key = library.key_from(secret.saved)
    columns = [
        library.decrypted(key, _positive(block.first[:, i]), _positive(block.second[:, i]))
        for i in range(block.first.shape[1])
    ]
    steps = np.stack(columns, axis=1)
    if np.abs(steps).max(initial=0) > REACH:  # another key makes noise of it
        raise Tampered("A block of templates was changed, or belongs to another secret.")
    return steps


class SealShelf:
    """Blocks and their arithmetic: no secret is here."""

    def __init__(self, blocks: Sequence[SealedBlock]) -> None:
        self._first = Shelf([block.first for block in blocks])
        self._second = Shelf([block.second for block in blocks])

    @classmethod
    def over(cls, shelf: Shelf) -> "SealShelf":
        """The same blocks, as they are kept."""
        return cls([halves_of(shelf.block(place)) for place in range(len(shelf))])

    def answer(self, numbers: Numbers, *, threads: int = 1) -> Answer:
        """The encrypted scores of a template (d,) with everybody here."""
        query = _in_each_row(numbers)
        first, second = (shelf.answer(query, threads=threads) for shelf in (self._first, self._second))
        return Answer(first.face, second.face)


class SealKeys:
    """What checks and decrypts the answers of one shelf."""

    def __init__(self, length: int, library: SealLibrary) -> None:
        self._library = library
        self._keys: list[Any] = []
        self._weights = np.zeros(BLOCKS_PER_MASK, np.uint64)
        self._sums = (np.zeros((RING_DEGREE, length), np.int32), np.zeros((RING_DEGREE, length), np.int32))
        self._living = np.zeros((BLOCKS_PER_MASK, RING_DEGREE), np.bool_)

    def put(self, place: int, secret: SealSecret, block: SealedBlock, former: SealedBlock | None) -> None:
        """Know a block, in place of the former one there, or one more at the end."""
        count = len(self._keys)
        if not 0 <= place <= min(count, BLOCKS_PER_MASK - 1) or (place < count) != (former is not None):
            raise Invalid("Blocks are put one after the other, or in place of the former one.")
        length = self._sums[0].shape[1]
        halves = [half for each in (block, former) if each for half in (each.first, each.second)]
        if not all(are_cells(half, length) for half in halves):
            raise Invalid("A block has two contiguous int32 matrices of 2048 rows.")
        if former is not None:
            self._add(former, MODULUS - int(self._weights[place]))
        self._add(block, secret.check)
        self._weights[place] = secret.check
        self._keys[place : place + 1] = [self._library.key_from(secret.saved)]

    def let_live(self, place: int, slot: int) -> None:
        """Somebody is at this place from now on."""
        self._must_exist(place, slot)
        self._living[place, slot] = True

    def bury(self, place: int, slot: int) -> None:
        """Nobody is at this place from now on."""
        self._must_exist(place, slot)
        self._living[place, slot] = False

    def set_living(self, place: int, living: NDArray[np.bool_]) -> None:
        """Say of all 2048 slots of a block who is there."""
        self._must_exist(place, 0)
        self._living[place] = living

    def count(self) -> int:
        """How many are alive."""
        return int(self._living.sum())

    def check(self, numbers: Numbers, answer: Answer) -> None:
        """`Tampered` unless the answer is what an honest matcher would have said."""
        count = len(self._keys)
        for half in (answer.face, answer.mask):
            if half.shape != (count, RING_DEGREE) or half.dtype != np.uint32 or not half.flags.c_contiguous:
                raise Tampered("A matcher's answer does not have one number for each person.")
        query, weights = _in_each_row(numbers).face, self._weights[:count]
        for half, total in zip((answer.face, answer.mask), self._sums, strict=True):
            sound = np.zeros(RING_DEGREE, np.uint8)
            check_rows(half, half, weights, total, query, query, 0, RING_DEGREE, sound)
            if not sound.all():
                raise Tampered("A matcher's answer fails its check: it was forged, or a block was changed.")

    def nearest(self, answer: Answer, *, besides: tuple[int, int] | None = None) -> Nearest | None:
        """Who comes nearest, of the living; None where nobody lives. Check the answer first.

        `besides` is a block and a slot that are not looked at.
        """
        best: Nearest | None = None
        for place in range(len(self._keys)):
            living = self._living[place].copy()
            if besides is not None and besides[0] == place:
                living[besides[1]] = False
            scores = np.where(living, self._scores(answer, place), -PLAIN_MODULUS)
            slot = int(scores.argmax())
            score = int(scores[slot]) / SCALE**2
            if living[slot] and (best is None or score > best.score):
                best = Nearest(place, slot, score)
        return best

    def score_of(self, answer: Answer, place: int, slot: int) -> float | None:
        """The cosine with one place, None if nobody lives there. Check the answer first."""
        self._must_exist(place, slot)
        if not self._living[place, slot]:
            return None
        return int(self._scores(answer, place)[slot]) / SCALE**2

    def _scores(self, answer: Answer, place: int) -> Numbers:
        return self._library.decrypted(self._keys[place], answer.face[place], answer.mask[place])

    def _add(self, block: SealedBlock, weight: int) -> None:
        accumulate(self._sums[0], block.first, weight)
        accumulate(self._sums[1], block.second, weight)

    def _must_exist(self, place: int, slot: int) -> None:
        if not (0 <= place < len(self._keys) and 0 <= slot < RING_DEGREE):
            raise Invalid("This shelf has no such place.")


def _in_each_row(numbers: Numbers) -> Query:
    if numbers.ndim != 1 or numbers.dtype != np.int32 or float(np.linalg.norm(numbers)) > REACH:
        raise Invalid("A query is one template of length one in whole steps.")
    query = Query(np.tile(numbers, (RING_DEGREE, 1)), bytes(32))
    query.__dict__["mask"] = np.zeros_like(query.face)  # it has none
    return query


def _positive(column: NDArray[np.int32]) -> NDArray[np.uint32]:
    return np.where(column < 0, column + MODULUS, column).astype(np.uint32)
