"""Expands seeds into what the scheme draws: uniform numbers, ternary secrets, small errors.

The expansion is AES-256 in counter mode under the seed, from the `cryptography` library; a label in the upper
half of the counter keeps two uses of one seed apart (NIST SP 800-38A; as in NewHope and Kyber's "90s" sets).
"""

import os
from enum import IntEnum
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy import int32, uint32, uint64
from numpy.typing import NDArray

from doorward.matching.compiling import compiled, given, inlined, into
from doorward.matching.parameters import MODULUS, NOISE_PAIRS, RING_DEGREE, SEED_BYTES
from doorward.matching.ring import Words

Q = MODULUS
PAIRS = (1 << NOISE_PAIRS) - 1
PIECE = bytes(1 << 20)
SPARE = 256  # bytes drawn beyond need: of 255 values per byte one is thrown away


class Label(IntEnum):
    """What a seed is expanded for."""

    MASK = 1
    SECRET = 2
    NOISE = 3
    CHECK = 4
    ROTATION = 5


def fresh_seed() -> bytes:
    """32 bytes from the operating system."""
    return os.urandom(SEED_BYTES)


def stream(seed: bytes, length: int, label: Label) -> NDArray[np.uint8]:
    """So many bytes, the same for the same seed and label."""
    cipher = Cipher(algorithms.AES256(seed), modes.CTR(label.to_bytes(8, "big") + bytes(8))).encryptor()
    out = np.empty(length + 15, np.uint8)  # update_into wants room for a block more
    view = memoryview(out.data)
    for start in range(0, length, len(PIECE)):
        piece = min(len(PIECE), length - start)
        cipher.update_into(memoryview(PIECE)[:piece], view[start : start + piece + 15])
    return out[:length]


@compiled(given(uint64, 1), into(uint32, 1))
def _modulo(raw: NDArray[np.uint64], out: Words) -> None:
    for i in range(raw.shape[0]):
        out[i] = uint32(raw[i] % uint64(Q))


def uniform(seed: bytes, shape: tuple[int, ...], label: Label = Label.MASK) -> Words:
    """Uniform numbers mod q: 64 bits each, so that none is likelier by more than 2^-35."""
    count = int(np.prod(shape))
    out = np.empty(count, np.uint32)
    _modulo(stream(seed, 8 * count, label).view(np.uint64), out)
    return out.reshape(shape)


def ternary(seed: bytes) -> Words:
    """A secret: n numbers, each -1, 0 or 1 (mod q) alike."""
    raw = stream(seed, 2 * RING_DEGREE + SPARE, Label.SECRET)
    kept = raw[raw < 255]
    thirds = kept[:RING_DEGREE] % 3
    assert len(thirds) == RING_DEGREE  # 2048 of 4352 are enough, and one in 256 is thrown away
    secret = np.array([0, 1, Q - 1], np.uint32)[thirds]
    wipe(raw, kept, thirds)
    return secret


def wipe(*secrets: NDArray[Any]) -> None:
    """Overwrite what is no longer needed and must not be found in memory later."""
    for secret in secrets:
        secret.fill(0)


@inlined
def _ones(x: np.uint32) -> np.uint32:
    """How many of the lower 21 bits are set."""
    x = uint32(x - ((x >> uint32(1)) & uint32(0x55555555)))
    x = uint32((x & uint32(0x33333333)) + ((x >> uint32(2)) & uint32(0x33333333)))
    x = uint32((x + (x >> uint32(4))) & uint32(0x0F0F0F0F))
    return uint32(uint32(x * uint32(0x01010101)) >> uint32(24))


@compiled(given(int32, 2), given(uint32, 2), into(uint32, 2))
def _add_noise(message: NDArray[np.int32], raw: Words, out: Words) -> None:
    length = message.shape[1]
    for row in range(message.shape[0]):
        m, r, o = message[row], raw[row], out[row]
        for i in range(length):
            plus = int32(_ones(uint32(r[i] & uint32(PAIRS))))
            minus = int32(_ones(uint32(r[length + i] & uint32(PAIRS))))
            value = uint32(int32(m[i] + plus - minus))
            o[i] = min(value, uint32(value + uint32(Q)))  # below 0 becomes below q


def with_noise(message: NDArray[np.int32], seed: bytes | None = None) -> Words:
    """The message (n, d), each number between -q/2 and q/2, plus a fresh error, mod q.

    A seed is given only to make test vectors.
    """
    rows, length = message.shape
    raw = stream(fresh_seed() if seed is None else seed, 8 * rows * length, Label.NOISE).view(np.uint32)
    out = np.empty((rows, length), np.uint32)
    _add_noise(message, raw.reshape(rows, 2 * length), out)
    wipe(raw)
    return out
