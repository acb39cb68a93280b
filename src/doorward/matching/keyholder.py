"""Checks an answer and decrypts it into the nearest person: all that a decider computes.

The check is Freivalds' (1979): the decider keeps, a shelf, the sum of its blocks weighted by secret
coefficients. The same weights over the answers must give that sum times the query, in each of 2048 rows. A
matcher that changes anything without knowing the weights passes with a chance of 1 in 2^28, once: whoever
fails is not asked again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import BlockSecret, Cells, Mask, are_cells
from doorward.matching.matcher import SHARED_FROM, Answer
from doorward.matching.opening import NOBODY, accumulate, check_rows, decrypt, row_products
from doorward.matching.parameters import BLOCKS_PER_MASK, MODULUS, RING_DEGREE, SCORE_SCALE
from doorward.matching.queries import QueryKey
from doorward.matching.randomness import wipe
from doorward.matching.ring import STRIP, twiddles
from doorward.matching.sharing import spread


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best place of a shelf. The score stays with the key holder."""

    block: int
    slot: int
    score: float


class ShelfKeys:
    """What checks and decrypts the answers of one shelf: secrets, weights, who is alive. No block is held.

    Any number of threads may check and decrypt. `put` needs the shelf to itself from the moment its block is
    replaced: an answer about the former block would rightly fail.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self._secrets = np.zeros((RING_DEGREE, BLOCKS_PER_MASK), np.uint32)
        self._weights = np.zeros(BLOCKS_PER_MASK, np.uint64)
        self._living = np.zeros((RING_DEGREE, BLOCKS_PER_MASK), np.uint8)
        self._sum = np.zeros((RING_DEGREE, mask.length), np.int32)
        self._blocks = 0

    def __len__(self) -> int:
        return self._blocks

    def put(self, place: int, secret: BlockSecret, block: Cells, former: Cells | None) -> None:
        """Know a block, in place of the former one there, or one more at the end."""
        if not 0 <= place <= min(self._blocks, BLOCKS_PER_MASK - 1) or (place < self._blocks) != (
            former is not None
        ):
            raise Invalid("Blocks are put one after the other, or in place of the former one.")
        if not all(are_cells(each, self.mask.length) for each in (block, former) if each is not None):
            raise Invalid("A block is a contiguous int32 matrix of 2048 rows, as long as its mask.")
        if former is not None:
            accumulate(self._sum, former, MODULUS - int(self._weights[place]))
        accumulate(self._sum, block, secret.check)
        self._weights[place] = secret.check
        self._secrets[:, place] = secret.transformed  # over the former one: it is gone from here
        self._blocks = max(self._blocks, place + 1)

    def let_live(self, place: int, slot: int) -> None:
        """Somebody is at this place from now on."""
        self._must_exist(place, slot)
        self._living[slot, place] = 1

    def bury(self, place: int, slot: int) -> None:
        """Nobody is at this place from now on, whatever its block still holds."""
        self._must_exist(place, slot)
        self._living[slot, place] = 0

    def set_living(self, place: int, living: NDArray[np.bool_]) -> None:
        """Say of all 2048 slots of a block who is there."""
        self._living[:, place] = living

    def count(self) -> int:
        """How many are alive."""
        return int(self._living.sum())

    def check(self, key: QueryKey, answer: Answer, *, threads: int = 1) -> None:
        """`Tampered` unless the answer is what an honest matcher would have said of this query."""
        self._must_fit(key, answer)
        sound = np.zeros(RING_DEGREE, np.uint8)
        query, weights = key.query, self._weights[: self._blocks]

        def some(start: int, end: int) -> None:
            check_rows(
                answer.face, answer.mask, weights, self._sum, query.face, query.mask, start, end, sound
            )

        spread(some, RING_DEGREE, threads=threads if self._blocks >= SHARED_FROM else 1)
        if not sound.all():
            raise Tampered("A matcher's answer fails its check: it was forged, or a block was changed.")

    def nearest(
        self, key: QueryKey, answer: Answer, *, besides: tuple[int, int] | None = None, threads: int = 1
    ) -> Nearest | None:
        """Who comes nearest, of the living; None where nobody lives. Check the answer first.

        `besides` is a block and a slot that are not looked at.
        """
        living = self._living
        if besides is not None:
            block, slot = besides
            self._must_exist(block, slot)
            living = living.copy()
            living[slot, block] = 0
        return self._best(key, answer, (0, -(-self._blocks // STRIP)), living, threads)

    def score_of(self, key: QueryKey, answer: Answer, place: int, slot: int) -> float | None:
        """The cosine with one place, None if nobody lives there. Check the answer first."""
        self._must_exist(place, slot)
        alone = np.zeros_like(self._living)
        alone[slot, place] = self._living[slot, place]
        strip = place // STRIP
        found = self._best(key, answer, (strip, strip + 1), alone, threads=1)
        return found.score if found else None

    def _best(
        self, key: QueryKey, answer: Answer, strips: tuple[int, int], living: NDArray[np.uint8], threads: int
    ) -> Nearest | None:
        self._must_fit(key, answer)
        if not self._blocks:
            return None
        scores, slots = np.full(self._blocks, NOBODY, np.int32), np.zeros(self._blocks, np.int32)
        shift = np.empty(RING_DEGREE, np.uint32)
        row_products(self.mask.cells, key.opened, shift)
        table = twiddles()
        first, last = strips

        def some(start: int, end: int) -> None:
            decrypt(
                answer.face,
                answer.mask,
                key.transformed,
                self._secrets,
                shift,
                living,
                (first + start) * STRIP,
                (first + end) * STRIP,
                *table.undoing,
                scores,
                slots,
            )

        spread(some, last - first, threads=threads)
        best = int(np.argmax(scores))
        score, slot = int(scores[best]), int(slots[best])
        wipe(scores, slots, shift)
        return None if score == NOBODY else Nearest(best, slot, score / SCORE_SCALE)

    def _must_exist(self, place: int, slot: int) -> None:
        if not (0 <= place < self._blocks and 0 <= slot < RING_DEGREE):
            raise Invalid("This shelf has no such place.")

    def _must_fit(self, key: QueryKey, answer: Answer) -> None:
        if key.query.face.shape[1] != self.mask.length:
            raise Invalid("This query is for templates of another length.")
        for half in (answer.face, answer.mask):
            whole = half.shape == (self._blocks, RING_DEGREE) and half.dtype == np.uint32
            if not (whole and half.flags.c_contiguous and half.flags.aligned):
                raise Tampered("A matcher's answer does not have one number for each person.")
