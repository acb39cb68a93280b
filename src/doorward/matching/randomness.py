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

from doorward.matching.compiling import compiled, given, inlined, into, part
from doorward.matching.parameters import MODULUS, NOISE_PAIRS, RING_DEGREE, SEED_BYTES
from doorward.matching.ring import Words, centre, reduced, times

Q = MODULUS
PAIRS = (1 << NOISE_PAIRS) - 1
PIECE = bytes(1 << 20)
AES_BLOCK = 16
SLACK = AES_BLOCK - 1  # bytes of room that `update_into` wants beyond what it writes
DRAWN = (1 << 19) + SLACK
"""Room for what is drawn at a time: it stays in the processor's cache until it is used. In smaller pieces
threads would wait for the interpreter more than they work."""
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
    out = np.empty(length + SLACK, np.uint8)
    for start in range(0, length, len(PIECE)):
        piece = min(len(PIECE), length - start)
        expand(seed, label, start, out[start : start + piece + SLACK])
    return out[:length]


def expand(seed: bytes, label: Label, start: int, out: NDArray[np.uint8]) -> None:
    """The bytes of a stream from a multiple of 16 on, up to 2^20; the last 15 of `out` are only room."""
    counter = label.to_bytes(8, "big") + (start // AES_BLOCK).to_bytes(8, "big")
    cipher = Cipher(algorithms.AES256(seed), modes.CTR(counter)).encryptor()
    cipher.update_into(memoryview(PIECE)[: len(out) - SLACK], out.data)


def uniform(seed: bytes, shape: tuple[int, ...], label: Label = Label.MASK) -> Words:
    """Uniform numbers mod q: 64 bits each, so that none is likelier by more than 2^-35."""
    out = np.empty(int(np.prod(shape)), np.int32)
    draw(seed, 0, out, np.empty(DRAWN, np.uint8), label)
    words = out.view(np.uint32)
    words += (out < 0) * np.uint32(Q)
    return words.reshape(shape)


def draw(
    seed: bytes, start: int, out: NDArray[np.int32], room: NDArray[np.uint8], label: Label = Label.MASK
) -> None:
    """The same centred, from an even place on, with room of DRAWN bytes to work in."""
    most = (DRAWN - SLACK) // 8
    for low in range(0, len(out), most):
        some = out[low : low + most]
        raw = room[: 8 * len(some) + SLACK]
        expand(seed, label, 8 * (start + low), raw)
        _reduce(raw[: 8 * len(some)].view(np.uint64), some)


@compiled(given(uint64, 1), into(int32, 1))
def _reduce(raw: NDArray[np.uint64], out: NDArray[np.int32]) -> None:
    """Each mod q and centred, by halves of 32 bits: processors multiply many of those at once."""
    whole, quotient = uint64((1 << 32) % Q), uint64(((1 << 32) % Q << 32) // Q)
    for i in range(raw.shape[0]):
        high = times(raw[i] >> uint64(32), whole, quotient)
        low = times(raw[i] & uint64(0xFFFFFFFF), uint64(1), uint64((1 << 32) // Q))
        out[i] = centre(reduced(uint32(high + low)))


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


@part
def add_errors(raw: Words, out: Words) -> None:
    """An error for each number, from two words a row apart; a number below 0 becomes one below q."""
    length = out.shape[1]
    for row in range(out.shape[0]):
        r, o = raw[row], out[row]
        for i in range(length):
            plus = _ones(uint32(r[i] & uint32(PAIRS)))
            minus = _ones(uint32(r[length + i] & uint32(PAIRS)))
            value = uint32(o[i] + plus - minus)
            o[i] = min(value, uint32(value + uint32(Q)))  # below 0 becomes below q


@compiled(given(uint32, 2), into(uint32, 2))
def _add_noise(raw: Words, out: Words) -> None:
    add_errors(raw, out)


def with_noise(message: NDArray[np.int32], seed: bytes | None = None) -> Words:
    """The message (n, d), each number between -q/2 and q/2, plus a fresh error, mod q.

    A seed is given only to make test vectors.
    """
    out = message.astype(np.int32).view(np.uint32)
    raw = stream(fresh_seed() if seed is None else seed, 8 * out.size, Label.NOISE).view(np.uint32)
    _add_noise(raw.reshape(len(out), 2 * out.shape[1]), out)
    wipe(raw)
    return out
