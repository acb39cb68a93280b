"""Seals 2048 templates as one block, each time under a secret of its own, and opens it again.

    public    a_i            one polynomial a coordinate, expanded from a public seed, shared by 64 blocks
    secret    s              one ternary polynomial a block, expanded from its seed
    stored    c_i = a_i s + e_i + 43 m_i      one polynomial a coordinate: m_i(X) = sum of x_{j,i} X^j

all transformed, so that a block is an n x d matrix of integers. Many secrets may share the public half
(Peikert, Vaikuntanathan, Waters, CRYPTO 2008); one secret must never seal twice: the difference of two such
blocks is the difference of their templates. So there is no way to seal under a given seed: `seal` draws it.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy import int32, int64, uint32
from numpy.typing import NDArray

from doorward.core.errors import Invalid, Tampered
from doorward.matching.compiling import compiled, given, into
from doorward.matching.parameters import (
    BLOCK_SIZE,
    GRID,
    LONGEST_TEMPLATE,
    MODULUS,
    MOST_STEPS,
    NOISE_REACH,
    RING_DEGREE,
    ROW_REACH,
    SEED_BYTES,
)
from doorward.matching.randomness import DRAWN, Label, draw, fresh_seed, stream, ternary, wipe, with_noise
from doorward.matching.ring import Words, forward, forward_one, inverse

Q = MODULUS
Cells = NDArray[np.int32]
"""Numbers mod q, centred: -q/2 to q/2."""


def are_cells(array: NDArray[Any], length: int) -> bool:
    """Whether an array has the form of a block: loops check nothing. Says nothing about its numbers."""
    form = array.dtype == np.int32 and array.shape == (RING_DEGREE, length)
    return form and array.flags.c_contiguous and array.flags.aligned


@dataclass(frozen=True)
class Mask:
    """The public half of up to 64 blocks: `cells` is centred int32 (n, d)."""

    seed: bytes
    length: int

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST_TEMPLATE:
            raise Invalid(f"Templates have 1 to {LONGEST_TEMPLATE} coordinates.")
        if len(self.seed) != SEED_BYTES:
            raise Invalid(f"A seed has {SEED_BYTES} bytes.")

    @cached_property
    def cells(self) -> Cells:
        """Uniform mod q; whether transformed or not makes no difference."""
        cells = np.empty((RING_DEGREE, self.length), np.int32)
        self.expand(0, RING_DEGREE, cells, np.empty(DRAWN, np.uint8))
        return cells

    def expand(self, low: int, high: int, cells: Cells, room: NDArray[np.uint8]) -> None:
        """Write these rows into `cells`, the first an even one, in room of DRAWN bytes."""
        draw(self.seed, low * self.length, cells[low:high].reshape(-1), room)

    @classmethod
    def fresh(cls, length: int) -> "Mask":
        """A public half that was never used."""
        return cls(fresh_seed(), length)


@dataclass(frozen=True)
class BlockSecret:
    """What opens one block and checks answers about it.

    The seed is kept sealed; dropping it forgets the block.
    """

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise Invalid(f"A seed has {SEED_BYTES} bytes.")

    @cached_property
    def transformed(self) -> Words:
        """The secret polynomial, transformed: uint32 (n,)."""
        secret = ternary(self.seed)
        forward_one(secret)
        return secret

    @property
    def check(self) -> int:
        """This block's coefficient in the check of answers, 1 to q - 1."""
        (raw,) = stream(self.seed, 8, Label.CHECK).view("<u8")
        return 1 + int(raw) % (Q - 1)


def seal(steps: NDArray[np.int32], mask: Mask) -> tuple[Cells, BlockSecret]:
    """Seal up to 2048 templates in whole steps (rows, d) under a fresh secret; an unused row is all zeros.

    The block is int32 (n, d). Only whoever holds the secret tells it from uniform noise.
    """
    return _sealed_under(BlockSecret(fresh_seed()), steps, mask)


def unseal(cells: Cells, secret: BlockSecret, mask: Mask) -> NDArray[np.int32]:
    """The steps (n, d) that were sealed, exactly; `Tampered` if this is no block of this secret.

    Compare a block from outside with its recorded hash first: who adds whole steps to it changes the
    templates by those, and that cannot be seen here.
    """
    if not are_cells(cells, mask.length):
        raise Tampered("A block of templates has another form than it was sealed in.")
    plain = np.empty(cells.shape, np.uint32)
    _subtract_product(cells, mask.cells, secret.transformed, plain)
    inverse(plain)
    noisy = centred(plain)
    steps = np.rint(noisy / GRID).astype(np.int32)
    sound = np.abs(noisy - GRID * steps).max() <= NOISE_REACH and np.abs(steps).max() <= MOST_STEPS
    wipe(plain, noisy)
    if not sound:
        raise Tampered("A block of templates was changed, or belongs to another secret.")
    return steps


def centred(words: Words) -> Cells:
    """Numbers of 0 to q - 1 as -q/2 to q/2."""
    out = np.empty(words.shape, np.int32)
    _centre(np.ascontiguousarray(words).reshape(-1), out.reshape(-1))
    return out


def _sealed_under(
    secret: BlockSecret, steps: NDArray[np.int32], mask: Mask, noise_seed: bytes | None = None
) -> tuple[Cells, BlockSecret]:
    # Apart from `seal` for test vectors alone.
    if not _may_be_sealed(steps, mask.length):
        raise Invalid("A block takes up to 2048 templates of the mask's length, in whole steps.")
    message = np.zeros((RING_DEGREE, mask.length), np.int32)
    message[: len(steps)] = steps * GRID
    noisy = with_noise(message, noise_seed)
    forward(noisy)
    cells = np.empty(noisy.shape, np.int32)
    add_product(noisy, mask.cells, secret.transformed, cells)
    wipe(message, noisy)
    return cells, secret


def _may_be_sealed(steps: NDArray[np.int32], length: int) -> bool:
    if steps.dtype != np.int32 or steps.ndim != 2 or steps.shape[1] != length or len(steps) > BLOCK_SIZE:
        return False
    least, most = steps.min(initial=0), steps.max(initial=0)
    if least < -MOST_STEPS or most > MOST_STEPS:
        return False
    lengths = np.einsum("ij,ij->i", steps, steps)  # squares of at most 512 times 71
    return bool(lengths.max(initial=0) <= ROW_REACH**2)


@compiled(given(uint32, 1), into(int32, 1))
def _centre(words: Words, out: Cells) -> None:
    half = uint32(Q >> 1)
    for i in range(words.shape[0]):
        w = words[i]
        out[i] = int32(w) - int32(Q) if w > half else int32(w)


@compiled(given(uint32, 2), given(int32, 2), given(uint32, 1), into(int32, 2))
def add_product(words: Words, mask: Cells, secret: Words, out: Cells) -> None:
    """words + mask * secret, centred."""
    half = int64(Q) >> int64(1)
    for k in range(words.shape[0]):
        s = int64(secret[k])
        for i in range(words.shape[1]):
            v = (int64(mask[k, i]) * s + int64(words[k, i])) % int64(Q)
            out[k, i] = int32(v - int64(Q) if v > half else v)


@compiled(given(int32, 2), given(int32, 2), given(uint32, 1), into(uint32, 2))
def _subtract_product(cells: Cells, mask: Cells, secret: Words, out: Words) -> None:
    for k in range(cells.shape[0]):
        s = int64(secret[k])
        for i in range(cells.shape[1]):
            out[k, i] = uint32((int64(cells[k, i]) - int64(mask[k, i]) * s) % int64(Q))
