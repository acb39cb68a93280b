"""Encrypts a query as fast as a search in the clear takes: strip by strip, in memory used before.

Each strip of columns is drawn, transformed and multiplied while it lies in the processor's cache; strips and
the rows of the mask are shared among threads.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy import int32, int64, uint32, uint64
from numpy.typing import NDArray

from doorward.matching.blocks import BlockSecret, Cells, Mask
from doorward.matching.compiling import compiled, given, into, words_at
from doorward.matching.parameters import MODULUS, RING_DEGREE
from doorward.matching.randomness import DRAWN, SLACK, Label, add_errors, expand, fresh_seed
from doorward.matching.ring import STRIP, Words, centre, do_strip, reduced, times, twiddles
from doorward.matching.rooms import Rooms
from doorward.matching.sharing import cores, spread

Q = MODULUS
STRIP_BYTES = 4 * RING_DEGREE * STRIP
assert DRAWN == 2 * STRIP_BYTES + SLACK  # the errors of a strip
KEPT = 4  # rooms that wait for the next query


class Encrypted(NamedTuple):
    """A query, and what belongs to whoever asks; all of it lies in one room."""

    face: Cells
    mask_seed: bytes
    mask: Cells
    secret: Words
    opened: Cells


def encrypt(numbers: NDArray[np.int32], *, threads: int = 1) -> Encrypted:
    """Numbers (d,) as constant polynomials, under a fresh secret and a fresh mask."""
    length = len(numbers)
    secret, opened, face, cells = _parts(_rooms(length).take(), length)
    mask, fresh = Mask.fresh(length), BlockSecret(fresh_seed())
    secret[:] = fresh.transformed
    table = twiddles()

    def rows(start: int, end: int) -> None:
        mask.expand(2 * start, 2 * end, cells, _public().take())

    def strips(start: int, end: int) -> None:
        scratch = _scratch().take()
        strip, raw = scratch[:STRIP_BYTES], scratch[STRIP_BYTES:]
        errors = raw[:-SLACK].view(np.uint32).reshape(RING_DEGREE, 2 * STRIP)
        for low in range(start * STRIP, end * STRIP, STRIP):
            expand(fresh_seed(), Label.NOISE, 0, raw)
            loops = errors, strip.ctypes.data, table.forward, table.forward_quotients
            _encrypt_strip(*loops, numbers, cells, secret, low, face, opened)

    spread(rows, RING_DEGREE // 2, threads=threads)
    spread(strips, -(-length // STRIP), threads=threads)
    return Encrypted(face, mask.seed, cells, secret, opened)


def _parts(room: NDArray[np.uint8], length: int) -> tuple[Words, Cells, Cells, Cells]:
    words = room.view(np.uint32)
    secret, rest = words[:RING_DEGREE], words[RING_DEGREE:].view(np.int32)
    opened, face, mask = rest.reshape(3, RING_DEGREE, length)
    return secret, opened, face, mask


@cache
def _rooms(length: int) -> Rooms:
    matrix = 4 * RING_DEGREE * length
    return Rooms(4 * RING_DEGREE + 3 * matrix, most=KEPT, secret=4 * RING_DEGREE + matrix)


@cache
def _scratch() -> Rooms:
    size = STRIP_BYTES + DRAWN
    return Rooms(size, most=cores(), secret=size)


@cache
def _public() -> Rooms:
    return Rooms(DRAWN, most=cores(), secret=0)


@compiled(
    given(uint32, 2),
    uint64,
    given(uint32, 1),
    given(uint32, 1),
    given(int32, 1),
    given(int32, 2),
    given(uint32, 1),
    int64,
    into(int32, 2),
    into(int32, 2),
)
def _encrypt_strip(
    errors: Words,
    strip_at: int,
    roots: Words,
    quotients: Words,
    numbers: NDArray[np.int32],
    mask: Cells,
    secret: Words,
    low: int,
    face: Cells,
    opened: Cells,
) -> None:
    """opened = numbers + errors, transformed; face = mask * secret + opened; in the columns from `low` on."""
    strip = words_at(strip_at, (RING_DEGREE, STRIP))
    width = min(STRIP, mask.shape[1] - low)
    strip[:] = 0
    for c in range(width):
        strip[0, c] = uint32(numbers[low + c])
    add_errors(errors, strip)
    do_strip(strip, roots, quotients)
    for k in range(RING_DEGREE):
        s = uint64(secret[k])
        quotient = (s << uint64(32)) // uint64(Q)
        own, public, out, bare = strip[k], mask[k, low:], face[k, low:], opened[k, low:]
        for c in range(width):
            a = uint32(public[c])
            product = times(uint64(min(a, uint32(a + uint32(Q)))), s, quotient)
            out[c] = centre(reduced(uint32(product + own[c])))
            bare[c] = centre(own[c])
