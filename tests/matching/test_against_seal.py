"""Our ciphertexts mean the same to Microsoft SEAL, and SEAL's to us, under one secret key."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.matching.blocks import Mask, add_product, centred
from doorward.matching.parameters import MODULUS as Q
from doorward.matching.parameters import RING_DEGREE
from doorward.matching.randomness import with_noise
from doorward.matching.ring import Words, forward, inverse
from doorward.matching.seal_library import PLAIN_MODULUS, SealLibrary


@pytest.fixture(scope="module")
def library() -> SealLibrary:
    return SealLibrary()


@pytest.fixture(scope="module")
def key(library: SealLibrary) -> Any:
    return library.fresh_key()


def seal_root() -> int:
    """SEAL takes the least of the primitive 2n-th roots of unity; we take that of the least generator."""
    one = next(
        psi
        for psi in (pow(x, (Q - 1) // (2 * RING_DEGREE), Q) for x in range(2, 100))
        if pow(psi, RING_DEGREE, Q) == Q - 1
    )
    return min(pow(one, odd, Q) for odd in range(1, 2 * RING_DEGREE, 2))


def transformed_secret(key: Any) -> Words:
    """SEAL keeps its key transformed, in the same bit-reversed order as ours."""
    words = key.data()
    return np.array([words[i] for i in range(RING_DEGREE)], np.uint32)


def scaled(message: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.rint(message.astype(np.float64) * (Q / PLAIN_MODULUS)).astype(np.int32)


def messages(seed: int) -> NDArray[np.int32]:
    half = PLAIN_MODULUS // 2
    drawn = np.random.default_rng(seed).integers(-half + 1, half, (RING_DEGREE, 2), dtype=np.int32)
    drawn[:2, 0] = half - 1, -half + 1
    return drawn


def test_seals_secret_is_ternary_under_our_transform(key: Any) -> None:
    column = transformed_secret(key).reshape(-1, 1).copy()
    inverse(column, seal_root())
    assert set(np.unique(column)) == {0, 1, Q - 1}


def test_seal_decrypts_what_we_encrypt(library: SealLibrary, key: Any) -> None:
    root, mask, message = seal_root(), Mask.fresh(2), messages(1)
    noisy = with_noise(scaled(message))
    forward(noisy, root)
    cells = np.empty(noisy.shape, np.int32)
    add_product(noisy, mask.cells, transformed_secret(key), cells)
    first = (cells.astype(np.int64) % Q).astype(np.uint32)
    second = (-mask.cells.astype(np.int64) % Q).astype(np.uint32)  # SEAL adds where we subtract
    for half in (first, second):
        inverse(half, root)
    for column in (0, 1):
        assert (library.decrypted(key, first[:, column], second[:, column]) == message[:, column]).all()


def test_we_decrypt_what_seal_encrypts(library: SealLibrary, key: Any) -> None:
    root, message = seal_root(), messages(2)
    first, second = library.encrypted(key, message)
    for half in (first, second):
        forward(half, root)
    negative = centred(((Q - second.astype(np.int64)) % Q).astype(np.uint32))
    minus_secret = ((Q - transformed_secret(key).astype(np.int64)) % Q).astype(np.uint32)
    cells = np.empty(first.shape, np.int32)
    add_product(first, negative, minus_secret, cells)
    opened = (cells.astype(np.int64) % Q).astype(np.uint32)
    inverse(opened, root)
    noisy = centred(opened)
    assert (np.rint(noisy * (PLAIN_MODULUS / Q)) == message).all()
    errors = noisy - scaled(message)
    assert (
        np.abs(errors).max() <= 22 and 3 < errors.std() < 3.5
    )  # SEAL's errors are ours: binomial of 21 pairs
