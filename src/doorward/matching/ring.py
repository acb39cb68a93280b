"""The number-theoretic transform, down the columns of a matrix.

A block of templates is an n x d matrix whose columns are polynomials of R. Transforming all columns at once
turns the product of polynomials into a product number by number, so that an encrypted block is again an n x d
matrix of integers. Negacyclic transform as in Longa and Naehrig, "Speeding up the Number Theoretic Transform"
(2016); multiplication by constants as in Shoup's NTL, with quotients prepared ahead. No branch and no address
depends on a value. Copies of strips are overwritten: they may be secret.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy import int32, uint32, uint64
from numpy.typing import NDArray

from doorward.matching.compiling import compiled, given, inlined, into, part, words_at
from doorward.matching.parameters import MODULUS, RING_DEGREE

Words = NDArray[np.uint32]
"""Numbers of 0 to q - 1."""
Q = MODULUS
STRIP = 32
"""Columns transformed together: they fit the processor's cache, and a loop of known length over them is whole
words of the processor from end to end, with no rest to do by itself."""

LINE = 64  # bytes that memory gives at once


class Twiddles(NamedTuple):
    """Powers of a 2n-th root of unity in bit-reversed order, each with its quotient for Shoup's trick."""

    forward: Words
    forward_quotients: Words
    inverse: Words
    inverse_quotients: Words
    shrink: np.uint32  # 1 / n
    shrink_quotient: np.uint32

    @property
    def undoing(self) -> tuple[Words, Words, np.uint32, np.uint32]:
        """What the inverse takes."""
        return self[2:]


@inlined
def reduced(x: np.uint32) -> np.uint32:
    """0 to 2q - 1 becomes 0 to q - 1."""
    return min(x, uint32(x - uint32(Q)))


@inlined
def times(x: np.uint64, factor: np.uint64, quotient: np.uint64) -> np.uint32:
    """x * factor mod q for x below 2^32 and factor below q, by Shoup."""
    return reduced(uint32(x * factor - ((x * quotient) >> uint64(32)) * uint64(Q)))


@inlined
def centre(x: np.uint32) -> np.int32:
    """0 to q - 1 becomes -q/2 to q/2."""
    return int32(int32(x) - (int32(Q) & (int32(int32(Q >> 1) - int32(x)) >> int32(31))))


@compiled(into(uint32, 1), given(uint32, 1), given(uint32, 1))
def _forward_one(numbers: Words, roots: Words, quotients: Words) -> None:
    half, groups = numbers.shape[0] >> 1, 1
    while half:
        for i in range(groups):
            factor, quotient = uint64(roots[groups + i]), uint64(quotients[groups + i])
            for j in range(2 * i * half, 2 * i * half + half):
                v = times(uint64(numbers[j + half]), factor, quotient)
                u = numbers[j]
                numbers[j] = reduced(uint32(u + v))
                numbers[j + half] = reduced(uint32(u + uint32(uint32(Q) - v)))
        half, groups = half >> 1, groups << 1


@part
def do_strip(matrix: Words, roots: Words, quotients: Words) -> None:
    """Transform a contiguous (n, STRIP) matrix in place."""
    half, groups = matrix.shape[0] >> 1, 1
    while half:
        for i in range(groups):
            factor, quotient = uint64(roots[groups + i]), uint64(quotients[groups + i])
            for j in range(2 * i * half, 2 * i * half + half):
                for c in range(STRIP):  # Cooley and Tukey's butterfly
                    v = times(uint64(matrix[j + half, c]), factor, quotient)
                    u = matrix[j, c]
                    matrix[j, c] = reduced(uint32(u + v))
                    matrix[j + half, c] = reduced(uint32(u + uint32(uint32(Q) - v)))
        half, groups = half >> 1, groups << 1


@part
def undo_strip(
    matrix: Words, roots: Words, quotients: Words, shrink: np.uint32, shrink_quotient: np.uint32
) -> None:
    """Undo the transform of a contiguous (n, STRIP) matrix in place."""
    half, groups = 1, matrix.shape[0] >> 1
    while groups:
        for i in range(groups):
            factor, quotient = uint64(roots[groups + i]), uint64(quotients[groups + i])
            for j in range(2 * i * half, 2 * i * half + half):
                for c in range(STRIP):  # Gentleman and Sande's
                    u, v = matrix[j, c], matrix[j + half, c]
                    matrix[j, c] = reduced(uint32(u + v))
                    matrix[j + half, c] = times(uint64(uint32(u + uint32(uint32(Q) - v))), factor, quotient)
        half, groups = half << 1, groups >> 1
    for j in range(matrix.shape[0]):
        for c in range(STRIP):
            matrix[j, c] = times(uint64(matrix[j, c]), uint64(shrink), uint64(shrink_quotient))


@compiled(uint64, given(uint32, 1), given(uint32, 1))
def _forward_strip(address: int, roots: Words, quotients: Words) -> None:
    do_strip(words_at(address, (RING_DEGREE, STRIP)), roots, quotients)


@compiled(uint64, given(uint32, 1), given(uint32, 1), uint32, uint32)
def _inverse_strip(
    address: int, roots: Words, quotients: Words, shrink: np.uint32, shrink_quotient: np.uint32
) -> None:
    undo_strip(words_at(address, (RING_DEGREE, STRIP)), roots, quotients, shrink, shrink_quotient)


def forward(matrix: Words, root: int | None = None) -> None:
    """Transform each column of a contiguous uint32 (n, any) matrix in place."""
    table = twiddles(root)
    _by_strips(matrix, lambda strip: _forward_strip(strip, table.forward, table.forward_quotients))


def forward_one(numbers: Words) -> None:
    """Transform one polynomial (n,) in place."""
    table = twiddles()
    _forward_one(numbers, table.forward, table.forward_quotients)


def inverse(matrix: Words, root: int | None = None) -> None:
    """Undo `forward`, in place."""
    table = twiddles(root)
    _by_strips(matrix, lambda strip: _inverse_strip(strip, *table.undoing))


def strip_of_zeros() -> Words:
    """Room for STRIP columns, at the start of a line of memory: no word of the processor lies across two."""
    room = np.zeros(RING_DEGREE * STRIP + LINE // 4, np.uint32)
    start = -room.ctypes.data % LINE // 4
    return room[start : start + RING_DEGREE * STRIP].reshape(RING_DEGREE, STRIP)


def _by_strips(matrix: Words, transform: Callable[[int], None]) -> None:
    if matrix.dtype != np.uint32 or matrix.shape[:1] != (RING_DEGREE,) or not matrix.flags.c_contiguous:
        raise TypeError("A transform takes a contiguous uint32 matrix of 2048 rows.")
    strip = strip_of_zeros()
    for low in range(0, matrix.shape[1], STRIP):
        columns = matrix[:, low : low + STRIP]
        strip[:, : columns.shape[1]] = columns
        transform(strip.ctypes.data)
        columns[:] = strip[:, : columns.shape[1]]
    strip.fill(0)


@cache
def twiddles(root: int | None = None) -> Twiddles:
    """The tables for our root of unity, the one that the least generator gives, or for another."""
    psi = _least_root() if root is None else root
    bits = RING_DEGREE.bit_length() - 1
    order = [int(format(i, f"0{bits}b")[::-1], 2) for i in range(RING_DEGREE)]
    shrink = pow(RING_DEGREE, -1, Q)
    back = pow(psi, -1, Q)
    return Twiddles(
        *_with_quotients([pow(psi, place, Q) for place in order]),
        *_with_quotients([pow(back, place, Q) for place in order]),
        np.uint32(shrink),
        np.uint32((shrink << 32) // Q),
    )


def _least_root() -> int:
    for candidate in range(2, Q):
        psi = pow(candidate, (Q - 1) // (2 * RING_DEGREE), Q)
        if pow(psi, RING_DEGREE, Q) == Q - 1:
            return psi
    raise AssertionError("a prime q = 1 mod 2n has such a root")


def _with_quotients(powers: list[int]) -> tuple[Words, Words]:
    return np.array(powers, np.uint32), np.array([(power << 32) // Q for power in powers], np.uint32)
