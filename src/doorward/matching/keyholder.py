"""Checks an answer and decrypts it into the nearest person: all that a decider computes.

The check is Freivalds' (1979): the decider keeps, a shelf, the sum of its blocks weighted by secret
coefficients. The same weights over the answers must give that sum times the query, in each of 2048 rows. A
matcher that changes anything without knowing the weights passes with a chance of 1 in 2^28, once: whoever
fails is not asked again.
"""

from dataclasses import dataclass

import numpy as np
from numba import int32, int64, uint32, uint64

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import BlockSecret, Cells, Mask
from doorward.matching.compiling import compiled
from doorward.matching.matcher import SHARED_FROM, Answer
from doorward.matching.parameters import BLOCKS_PER_MASK, MODULUS, RING_DEGREE, SCORE_SCALE
from doorward.matching.queries import QueryKey
from doorward.matching.ring import inverse_strip, times, twiddles
from doorward.matching.sharing import spread

Q = MODULUS
STRIP = 16  # blocks decrypted together
NOBODY = -(1 << 31)  # below every score


@dataclass(frozen=True, slots=True)
class Nearest:
    """The best place of a shelf. The score stays with the key holder."""

    block: int
    slot: int
    score: float


class ShelfKeys:
    """What checks and decrypts the answers of one shelf: secrets, weights, who is alive. No block is held."""

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
        if former is not None:
            _accumulate(self._sum, former, int64(Q - int(self._weights[place])))
        _accumulate(self._sum, block, int64(secret.check))
        self._weights[place] = secret.check
        self._secrets[:, place] = secret.transformed
        self._blocks = max(self._blocks, place + 1)

    def let_live(self, place: int, slot: int) -> None:
        """Somebody is at this place from now on."""
        self._living[slot, place] = 1

    def bury(self, place: int, slot: int) -> None:
        """Nobody is at this place from now on, whatever its block still holds."""
        self._living[slot, place] = 0

    def count(self) -> int:
        """How many are alive."""
        return int(self._living.sum())

    def check(self, key: QueryKey, answer: Answer, *, threads: int = 1) -> None:
        """`Tampered` unless the answer is what an honest matcher would have said of this query."""
        if answer.face.shape != (self._blocks, RING_DEGREE) or answer.mask.shape != answer.face.shape:
            raise Tampered("A matcher's answer does not have one number for each person.")
        sound = np.zeros(RING_DEGREE, np.uint8)
        query, weights = key.query, self._weights[: self._blocks]

        def some(start: int, end: int) -> None:
            _check(answer.face, answer.mask, weights, self._sum, query.face, query.mask, start, end, sound)

        spread(some, RING_DEGREE, threads=threads if self._blocks >= SHARED_FROM else 1)
        if not sound.all():
            raise Tampered("A matcher's answer fails its check: it was forged, or a block was changed.")

    def nearest(self, key: QueryKey, answer: Answer, *, threads: int = 1) -> Nearest | None:
        """Who comes nearest, of the living; None where nobody lives. Check the answer first."""
        blocks = self._blocks
        scores, slots = np.empty(blocks, np.int32), np.empty(blocks, np.int32)
        shift = np.empty(RING_DEGREE, np.uint32)
        _row_products(self.mask.cells, key.opened, shift)
        table = twiddles()

        def some(start: int, end: int) -> None:
            _decrypt(
                answer.face,
                answer.mask,
                key.transformed,
                self._secrets,
                shift,
                self._living,
                (start * STRIP, min(end * STRIP, blocks)),
                (
                    table.inverse,
                    table.inverse_quotients,
                    np.uint32(table.shrink),
                    np.uint32(table.shrink_quotient),
                ),
                scores,
                slots,
            )

        spread(some, -(-blocks // STRIP), threads=threads)
        if not blocks:
            return None
        best = int(np.argmax(scores))
        if scores[best] == NOBODY:
            return None
        return Nearest(best, int(slots[best]), float(scores[best]) / SCORE_SCALE)

    def score_of(self, key: QueryKey, answer: Answer, place: int, slot: int) -> float | None:
        """The cosine with one place, None if nobody lives there. Check the answer first."""
        if not 0 <= place < self._blocks or not self._living[slot, place]:
            return None
        one = ShelfKeys.__new__(ShelfKeys)
        one.mask, one._blocks = self.mask, 1
        one._secrets = np.ascontiguousarray(self._secrets[:, place : place + 1])
        one._living = np.zeros((RING_DEGREE, 1), np.uint8)
        one._living[slot, 0] = 1
        found = one.nearest(key, Answer(answer.face[place : place + 1], answer.mask[place : place + 1]))
        return found.score if found else None


@compiled
def _accumulate(total, block, weight):  # type: ignore[no-untyped-def]  # total += weight * block, centred
    half = int64(Q) >> int64(1)
    for k in range(total.shape[0]):
        for i in range(total.shape[1]):
            v = (int64(total[k, i]) + weight * int64(block[k, i])) % int64(Q)
            total[k, i] = int32(v - int64(Q) if v > half else v)


@compiled
def _check(face, mask, weights, total, face_query, mask_query, low, high, sound):  # type: ignore[no-untyped-def]
    # 64 products of 28 by 28 bits fit 64 bits, as do 512 of 27 by 27 with a sign: nothing is reduced on the way.
    width = high - low
    faces, masks = np.zeros(width, np.uint64), np.zeros(width, np.uint64)
    for b in range(face.shape[0]):
        w = weights[b]
        f, m = face[b], mask[b]
        for k in range(width):
            faces[k] += w * uint64(f[low + k])
            masks[k] += w * uint64(m[low + k])
    for k in range(width):
        f, m = int64(0), int64(0)
        for i in range(total.shape[1]):
            cell = int64(total[low + k, i])
            f += cell * int64(face_query[low + k, i])
            m += cell * int64(mask_query[low + k, i])
        off = (faces[k] % uint64(Q)) ^ uint64(f % int64(Q))
        off |= (masks[k] % uint64(Q)) ^ uint64(m % int64(Q))
        sound[low + k] = off == uint64(0)


@compiled
def _row_products(left, right, out):  # type: ignore[no-untyped-def]
    for k in range(left.shape[0]):
        total = int64(0)
        for i in range(left.shape[1]):
            total += int64(left[k, i]) * int64(right[k, i])
        out[k] = uint32(total % int64(Q))


@compiled
def _decrypt(face, mask, query, secrets, shift, living, within, table, scores, slots):  # type: ignore[no-untyped-def]
    # Scores are secret: the best is chosen without a branch on any of them.
    inverse_roots, quotients, shrink, shrink_quotient = table
    half = int32(Q >> 1)
    for low in range(within[0], within[1], STRIP):
        high = min(low + STRIP, within[1])
        part = np.empty((RING_DEGREE, high - low), np.uint32)
        for b in range(low, high):
            for k in range(RING_DEGREE):
                part[k, b - low] = face[b, k]
        other = np.empty((RING_DEGREE, high - low), np.uint32)
        for b in range(low, high):
            for k in range(RING_DEGREE):
                other[k, b - low] = mask[b, k]
        for k in range(RING_DEGREE):
            z, h = uint64(query[k]), uint64(shift[k])
            zq, hq = (z << uint64(32)) // uint64(Q), (h << uint64(32)) // uint64(Q)
            for c in range(high - low):
                off = times(uint64(other[k, c]), z, zq)
                off += times(uint64(secrets[k, low + c]), h, hq)
                v = uint32(part[k, c] + uint32(2 * Q) - off)
                v = min(v, uint32(v - uint32(Q)))
                part[k, c] = min(v, uint32(v - uint32(Q)))
        inverse_strip(part, inverse_roots, quotients, shrink, shrink_quotient)
        best = np.full(high - low, NOBODY, np.int32)
        where = np.zeros(high - low, np.int32)
        for k in range(RING_DEGREE):
            for c in range(high - low):
                v = int32(part[k, c])
                v = v - int32(Q) if v > half else v
                v = v if living[k, low + c] else int32(NOBODY)
                nearer = v > best[c]
                where[c] = int32(k) if nearer else where[c]
                best[c] = v if nearer else best[c]
        scores[low:high] = best
        slots[low:high] = where
