"""The transform against multiplication as it is taught at school."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.matching.parameters import MODULUS as Q
from doorward.matching.parameters import RING_DEGREE
from doorward.matching.ring import STRIP, forward, inverse, twiddles


def schoolbook(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.int64]:
    """left * right in Z_q[X]/(X^n + 1), term by term."""
    out = np.zeros(RING_DEGREE, np.int64)
    for power, factor in enumerate(left.astype(np.int64)):
        turned = np.roll(right.astype(np.int64), power)
        turned[:power] *= -1
        out = (out + factor * turned) % Q
    return out


def columns(seed: int, width: int) -> NDArray[np.uint32]:
    return np.random.default_rng(seed).integers(0, Q, (RING_DEGREE, width), dtype=np.uint32)


@pytest.mark.parametrize("width", [1, 2, 3, STRIP - 1, STRIP, STRIP + 5])
def test_the_inverse_undoes_the_transform(width: int) -> None:
    matrix = columns(width, width)
    there = matrix.copy()
    forward(there)
    assert (there != matrix).any() and there.max() < Q
    inverse(there)
    assert (there == matrix).all()


@given(st.integers(0, 2**32))
@settings(max_examples=3, deadline=None)
def test_products_of_transforms_are_products_of_polynomials(seed: int) -> None:
    matrix = columns(seed, 2)
    there = matrix.copy()
    forward(there)
    product = (there[:, :1].astype(np.uint64) * there[:, 1:] % Q).astype(np.uint32)
    inverse(product)
    assert (product[:, 0] == schoolbook(matrix[:, 0], matrix[:, 1])).all()


@pytest.mark.parametrize("value", [0, 1, Q - 1])
def test_the_largest_numbers_overflow_nowhere(value: int) -> None:
    matrix = np.full((RING_DEGREE, STRIP + 1), value, np.uint32)
    there = matrix.copy()
    forward(there)
    assert there.max() < Q
    inverse(there)
    assert (there == matrix).all()


def test_another_root_gives_the_same_product() -> None:
    matrix = columns(7, 2)
    other = pow(next(r for r in range(2, 100) if pow(r, (Q - 1) // 2, Q) == Q - 1), 3 * (Q - 1) // 4096, Q)
    assert twiddles(other).forward[1] != twiddles().forward[1]
    there = matrix.copy()
    forward(there, other)
    product = (there[:, :1].astype(np.uint64) * there[:, 1:] % Q).astype(np.uint32)
    inverse(product, other)
    assert (product[:, 0] == schoolbook(matrix[:, 0], matrix[:, 1])).all()


def test_a_constant_is_the_same_number_in_each_row() -> None:
    matrix = np.zeros((RING_DEGREE, 1), np.uint32)
    matrix[0] = 12345
    forward(matrix)
    assert (matrix == 12345).all()


def test_an_array_of_another_kind_is_refused_and_compiles_nothing() -> None:
    with pytest.raises(TypeError):
        forward(np.zeros((RING_DEGREE, 2), np.int64))
    with pytest.raises(TypeError):
        forward(np.zeros((RING_DEGREE, 4), np.uint32)[:, ::2])
