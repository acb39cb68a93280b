"""The loops of the key holder: they touch secrets and scores, and do the same work whatever those are."""

import numpy as np
from numpy import int32, int64, uint8, uint32, uint64
from numpy.typing import NDArray

from doorward.matching.blocks import Cells
from doorward.matching.compiling import cells_at, compiled, given, into, words_at
from doorward.matching.parameters import MODULUS, RING_DEGREE
from doorward.matching.ring import STRIP, Words, strip_of_zeros, times, undo_strip

Q = MODULUS
NOBODY = -(1 << 31)  # below every score


@compiled(into(int32, 2), given(int32, 2), int64)
def accumulate(total: Cells, block: Cells, weight: int) -> None:
    """total += weight * block, centred."""
    half = int64(Q) >> int64(1)
    for k in range(total.shape[0]):
        for i in range(total.shape[1]):
            v = (int64(total[k, i]) + int64(weight) * int64(block[k, i])) % int64(Q)
            total[k, i] = int32(v - int64(Q) if v > half else v)


def check_rows(
    face: Words,
    mask: Words,
    weights: NDArray[np.uint64],
    total: Cells,
    face_query: Cells,
    mask_query: Cells,
    low: int,
    high: int,
    sound: NDArray[np.uint8],
) -> None:
    """Whether each row of an answer is the truth, as far as the weights can tell, and in numbers below q."""
    faces, masks = np.zeros((2, high - low), np.uint64)
    longer = np.zeros(high - low, np.uint32)
    _check_rows(face, mask, weights, total, face_query, mask_query, low, high, faces, masks, longer, sound)


@compiled(
    given(uint32, 2),
    given(uint32, 2),
    given(uint64, 1),
    given(int32, 2),
    given(int32, 2),
    given(int32, 2),
    int64,
    int64,
    into(uint64, 1),
    into(uint64, 1),
    into(uint32, 1),
    into(uint8, 1),
)
def _check_rows(
    face: Words,
    mask: Words,
    weights: NDArray[np.uint64],
    total: Cells,
    face_query: Cells,
    mask_query: Cells,
    low: int,
    high: int,
    faces: NDArray[np.uint64],
    masks: NDArray[np.uint64],
    longer: Words,  # its highest bit
    sound: NDArray[np.uint8],
) -> None:
    """As above, in arrays of zeros.

    Sums are not reduced on the way: 64 products of 28 by 28 bits fit 64 bits, as do 512 of 27 by 27 with a
    sign. Longer words may overflow; they are refused for being longer, as they would upset `decrypt`.
    """
    width = high - low
    most = uint32(Q - 1)
    for b in range(face.shape[0]):
        w = weights[b]
        for k in range(width):
            f, m = face[b, low + k], mask[b, low + k]
            faces[k] += w * uint64(f)
            masks[k] += w * uint64(m)
            longer[k] |= f | m | uint32(most - f) | uint32(most - m)
    for k in range(width):
        f, m = int64(0), int64(0)
        for i in range(total.shape[1]):
            cell = int64(total[low + k, i])
            f += cell * int64(face_query[low + k, i])
            m += cell * int64(mask_query[low + k, i])
        off = (faces[k] % uint64(Q)) ^ uint64(f % int64(Q))
        off |= (masks[k] % uint64(Q)) ^ uint64(m % int64(Q))
        off |= uint64(longer[k] >> uint32(31))
        sound[low + k] = off == uint64(0)


@compiled(given(int32, 2), given(int32, 2), into(uint32, 1))
def row_products(left: Cells, right: Cells, out: Words) -> None:
    """The sum over each row of the products."""
    for k in range(left.shape[0]):
        total = int64(0)
        for i in range(left.shape[1]):
            total += int64(left[k, i]) * int64(right[k, i])
        out[k] = uint32(total % int64(Q))


def decrypt(
    face: Words,
    mask: Words,
    query: Words,
    secrets: Words,
    shift: Words,
    living: NDArray[np.uint8],
    first: int,
    last: int,
    roots: Words,
    quotients: Words,
    shrink: np.uint32,
    shrink_quotient: np.uint32,
    scores: NDArray[np.int32],
    slots: NDArray[np.int32],
) -> None:
    """The best score of each block and its slot, without a branch or an address that depends on a score."""
    part, other = strip_of_zeros(), strip_of_zeros()
    winners = np.empty((2, STRIP), np.int32)
    tables = roots, quotients, shrink, shrink_quotient
    room = part.ctypes.data, other.ctypes.data, winners.ctypes.data
    _decrypt(face, mask, query, secrets, shift, living, first, last, *tables, *room, scores, slots)


@compiled(
    given(uint32, 2),
    given(uint32, 2),
    given(uint32, 1),
    given(uint32, 2),
    given(uint32, 1),
    given(uint8, 2),
    int64,
    int64,
    given(uint32, 1),
    given(uint32, 1),
    uint32,
    uint32,
    uint64,
    uint64,
    uint64,
    into(int32, 1),
    into(int32, 1),
)
def _decrypt(
    face: Words,
    mask: Words,
    query: Words,
    secrets: Words,
    shift: Words,
    living: NDArray[np.uint8],
    first: int,
    last: int,
    roots: Words,
    quotients: Words,
    shrink: np.uint32,
    shrink_quotient: np.uint32,
    part_at: int,
    other_at: int,
    winners_at: int,
    scores: NDArray[np.int32],
    slots: NDArray[np.int32],
) -> None:
    """As above, in arrays that it leaves as zeros.

    Strips begin at multiples of STRIP and are always whole, absent blocks being zeros: in the rest of a loop
    that does not fill the processor's registers, the compiler likes to make jumps of choices.
    """
    half = int64(Q >> 1)
    part, other = words_at(part_at, (RING_DEGREE, STRIP)), words_at(other_at, (RING_DEGREE, STRIP))
    best, where = cells_at(winners_at, (STRIP,)), cells_at(winners_at + uint64(4 * STRIP), (STRIP,))
    for low in range(first, last, STRIP):
        high = min(low + STRIP, face.shape[0])
        part[:] = 0
        other[:] = 0
        for b in range(low, high):
            for k in range(RING_DEGREE):
                part[k, b - low] = face[b, k]
        for b in range(low, high):
            for k in range(RING_DEGREE):
                other[k, b - low] = mask[b, k]
        for k in range(RING_DEGREE):
            z, h = uint64(query[k]), uint64(shift[k])
            zq, hq = (z << uint64(32)) // uint64(Q), (h << uint64(32)) // uint64(Q)
            row, masks, own = part[k], other[k], secrets[k, low : low + STRIP]
            for c in range(STRIP):
                off = times(uint64(masks[c]), z, zq)
                off += times(uint64(own[c]), h, hq)
                v = uint32(row[c] + uint32(2 * Q) - off)
                v = min(v, uint32(v - uint32(Q)))
                row[c] = min(v, uint32(v - uint32(Q)))
        undo_strip(part, roots, quotients, shrink, shrink_quotient)
        best[:] = NOBODY
        where[:] = 0
        for k in range(RING_DEGREE):
            row, alive = part[k], living[k, low : low + STRIP]
            for c in range(STRIP):
                score = int64(row[c])
                score -= int64(Q) & ((half - score) >> int64(63))  # centred
                dead = int64(alive[c]) - int64(1)
                score = (score & ~dead) | (int64(NOBODY) & dead)
                nearer = (int64(best[c]) - score) >> int64(63)  # all bits or none
                where[c] = int32((int64(where[c]) & ~nearer) | (int64(k) & nearer))
                best[c] = int32((int64(best[c]) & ~nearer) | (score & nearer))
        for b in range(low, high):
            scores[b] = best[b - low]
            slots[b] = where[b - low]
    part[:] = 0
    other[:] = 0
    best[:] = 0
    where[:] = 0
