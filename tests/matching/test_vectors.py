"""The published vectors hold for our loops, and for plain arithmetic as an outside reader would write it."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from tests.matching.make_vectors import FILE, vectors

TOLD: dict[str, Any] = json.loads(FILE.read_text())
N, Q, LENGTH = TOLD["n"], TOLD["q"], TOLD["length"]
Numbers = NDArray[np.int64]


def test_our_loops_compute_the_published_vectors() -> None:
    assert vectors() == TOLD


def stream(seed: str, length: int, label: str) -> bytes:
    counter = TOLD["labels"][label].to_bytes(8, "big") + bytes(8)
    cipher = Cipher(algorithms.AES256(bytes.fromhex(TOLD["seeds"][seed])), modes.CTR(counter))
    return cipher.encryptor().update(bytes(length))


def values(polynomial: Numbers) -> Numbers:
    """The values at the odd powers of the root: the transform by its definition."""
    bits = N.bit_length() - 1
    powers = [pow(TOLD["root"], 2 * int(f"{k:0{bits}b}"[::-1], 2) + 1, Q) for k in range(N)]
    points, out = np.array(powers, np.int64), np.zeros(N, np.int64)
    for coefficient in polynomial[::-1]:  # Horner
        out = (out * points + coefficient) % Q
    return out


def transformed(columns: Numbers) -> Numbers:
    return np.stack([values(columns[:, i]) for i in range(columns.shape[1])], axis=1)


def mask(seed: str) -> Numbers:
    words = np.frombuffer(stream(seed, 8 * N * LENGTH, "mask"), "<u8") % Q
    grid: Numbers = words.astype(np.int64).reshape(N, LENGTH)
    return grid


def secret(seed: str) -> Numbers:
    kept = [byte % 3 for byte in stream(seed, 2 * N + 256, "secret") if byte < 255][:N]
    return np.array([(0, 1, -1)[third] for third in kept], np.int64)


def errors(seed: str) -> Numbers:
    raw = np.frombuffer(stream(seed, 8 * N * LENGTH, "noise"), "<u4").reshape(N, 2 * LENGTH) % 2**21
    ones = np.array([[int(x).bit_count() for x in row] for row in raw], np.int64)
    return ones[:, :LENGTH] - ones[:, LENGTH:]


def is_told(name: str, numbers: Numbers, *, signed: bool) -> None:
    words = numbers % Q
    kind = "<i4" if signed else "<u4"
    flat = np.where(words > Q // 2, words - Q, words) if signed else words
    assert hashlib.sha256(flat.astype(kind).tobytes()).hexdigest() == TOLD[name]["sha256"], name


@pytest.mark.timeout(300)
def test_plain_arithmetic_computes_the_published_vectors() -> None:
    assert stream("mask", 32, "mask").hex() == TOLD["stream_of_mask_seed"]
    is_told("transform_of_0_1_2_to_2047", values(np.arange(N)), signed=False)
    is_told("mask_words", mask("mask"), signed=False)
    is_told("mask_cells", mask("mask"), signed=True)
    is_told("secret", secret("secret"), signed=False)
    is_told("errors", errors("noise"), signed=True)
    own = values(secret("secret"))
    is_told("secret_transformed", own, signed=False)
    assert 1 + int.from_bytes(stream("secret", 8, "check"), "little") % (Q - 1) == TOLD["secret_check"]

    message = np.zeros((N, LENGTH), np.int64)
    message[:2] = [[70, 0, 0, 0], [0, -35, 61, 0]]
    noisy = TOLD["grid"] * message + errors("noise")
    block = (mask("mask") * own[:, None] + transformed(noisy)) % Q
    is_told("block", block, signed=True)

    question = errors("errors")
    question[0] += [0, -20_000, 30_000, 7]
    z = values(secret("query"))
    query = (mask("query") * z[:, None] + transformed(question)) % Q
    is_told("query", query, signed=True)

    face = ((block * query) % Q).sum(1) % Q
    blind = ((block * mask("query")) % Q).sum(1) % Q
    is_told("answer_face", face, signed=False)
    is_told("answer_mask", blind, signed=False)

    # face - blind z - s (sum of a times the opened query), at each point: the product of the noisy messages.
    opened = transformed(question)
    product = (face - blind * z - own * (((mask("mask") * opened) % Q).sum(1) % Q)) % Q
    assert (product == ((transformed(noisy) * opened) % Q).sum(1) % Q).all()
    scores = [_product_at(noisy, question, slot) for slot in range(2)]
    assert int(np.argmax(scores)) == TOLD["nearest_slot"]
    assert max(scores) == TOLD["nearest_score_times_q_over_2_2"]
    assert abs(max(scores) / TOLD["noiseless_score"] - 1) < 0.02


def _product_at(left: Numbers, right: Numbers, slot: int) -> int:
    """One coefficient of the sum of products in Z[X]/(X^n + 1)."""
    k = np.arange(N)
    sign = np.where(k <= slot, 1, -1)
    return int((sign[:, None] * left[k] * right[(slot - k) % N]).sum())
