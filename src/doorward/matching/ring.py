"""The number-theoretic transform, down the columns of a matrix.

A block of templates is an n x d matrix whose columns are polynomials of R. Transforming all columns at once
turns the product of polynomials into a product number by number, so that an encrypted block is again an n x d
matrix of integers. Negacyclic transform as in Longa and Naehrig, "Speeding up the Number Theoretic Transform"
(2016); multiplication by constants as in Shoup's NTL, with quotients prepared ahead. No branch and no address
depends on a value.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import uint32, uint64
from numpy.typing import NDArray

from doorward.matching.compiling import compiled, inlined
from doorward.matching.parameters import MODULUS, RING_DEGREE

Words = NDArray[np.uint32]
"""Numbers of 0 to q - 1."""
Q = MODULUS
STRIP = 32  # columns transformed together: they fit the processor's cache


class Twiddles(NamedTuple):
    """Powers of a 2n-th root of unity in bit-reversed order, each with its quotient for Shoup's trick."""

    forward: Words
    forward_quotients: Words
    inverse: Words
    inverse_quotients: Words
    shrink: int  # 1 / n
    shrink_quotient: int


@inlined
def reduced(x):  # type: ignore[no-untyped-def]  # 0 to 2q - 1 becomes 0 to q - 1
    return min(x, uint32(x - uint32(Q)))


@inlined
def times(x, factor, quotient):  # type: ignore[no-untyped-def]  # x * factor mod q, by Shoup
    return reduced(uint32(x * factor - ((x * quotient) >> uint64(32)) * uint64(Q)))


@compiled
def _forward_rows(a, b, factor, quotient):  # type: ignore[no-untyped-def]  # Cooley and Tukey's butterfly
    for j in range(a.shape[0]):
        v = times(uint64(b[j]), factor, quotient)
        u = a[j]
        a[j] = reduced(uint32(u + v))
        b[j] = reduced(uint32(u + uint32(uint32(Q) - v)))


@compiled
def _inverse_rows(a, b, factor, quotient):  # type: ignore[no-untyped-def]  # Gentleman and Sande's
    for j in range(a.shape[0]):
        u, v = a[j], b[j]
        a[j] = reduced(uint32(u + v))
        b[j] = times(uint64(uint32(u + uint32(uint32(Q) - v))), factor, quotient)


@compiled
def forward_strip(matrix, roots, quotients):  # type: ignore[no-untyped-def]
    """Transform the columns of a contiguous uint32 matrix of n rows in place."""
    half, groups = matrix.shape[0] >> 1, 1
    while half:
        for i in range(groups):
            factor, quotient = uint64(roots[groups + i]), uint64(quotients[groups + i])
            for j in range(2 * i * half, 2 * i * half + half):
                _forward_rows(matrix[j], matrix[j + half], factor, quotient)
        half, groups = half >> 1, groups << 1


@compiled
def inverse_strip(matrix, roots, quotients, shrink, shrink_quotient):  # type: ignore[no-untyped-def]
    """Undo `forward_strip`."""
    half, groups = 1, matrix.shape[0] >> 1
    while groups:
        for i in range(groups):
            factor, quotient = uint64(roots[groups + i]), uint64(quotients[groups + i])
            for j in range(2 * i * half, 2 * i * half + half):
                _inverse_rows(matrix[j], matrix[j + half], factor, quotient)
        half, groups = half << 1, groups >> 1
    for j in range(matrix.shape[0]):
        row = matrix[j]
        for column in range(row.shape[0]):
            row[column] = times(uint64(row[column]), uint64(shrink), uint64(shrink_quotient))


@compiled
def _forward(matrix, roots, quotients, strip):  # type: ignore[no-untyped-def]
    for low in range(0, matrix.shape[1], strip):
        high = min(matrix.shape[1], low + strip)
        part = np.ascontiguousarray(matrix[:, low:high])
        forward_strip(part, roots, quotients)
        matrix[:, low:high] = part


@compiled
def _inverse(matrix, roots, quotients, shrink, shrink_quotient, strip):  # type: ignore[no-untyped-def]
    for low in range(0, matrix.shape[1], strip):
        high = min(matrix.shape[1], low + strip)
        part = np.ascontiguousarray(matrix[:, low:high])
        inverse_strip(part, roots, quotients, shrink, shrink_quotient)
        matrix[:, low:high] = part


def forward(matrix: Words) -> None:
    """Transform each column of a uint32 (n, any) matrix in place."""
    table = twiddles()
    _forward(matrix, table.forward, table.forward_quotients, STRIP)


def inverse(matrix: Words) -> None:
    """Undo `forward`, in place."""
    table = twiddles()
    _inverse(
        matrix,
        table.inverse,
        table.inverse_quotients,
        np.uint32(table.shrink),
        np.uint32(table.shrink_quotient),
        STRIP,
    )


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
        shrink,
        (shrink << 32) // Q,
    )


def _least_root() -> int:
    for candidate in range(2, Q):
        psi = pow(candidate, (Q - 1) // (2 * RING_DEGREE), Q)
        if pow(psi, RING_DEGREE, Q) == Q - 1:
            return psi
    raise AssertionError("a prime q = 1 mod 2n has such a root")


def _with_quotients(powers: list[int]) -> tuple[Words, Words]:
    return np.array(powers, np.uint32), np.array([(power << 32) // Q for power in powers], np.uint32)
