"""Encrypts one template as a query, under a secret that serves this query alone.

    y_{0,i} = alpha_i z + e_i + y_i        y_{1,i} = alpha_i, expanded from a public seed

with a constant polynomial y_i a coordinate. All of it but the y_i is an encryption of zero, which can be made
before anybody stands at the door: adding the template then takes a tenth of a millisecond.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numba import int32, int64
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import BlockSecret, Cells, Mask, add_product
from doorward.matching.compiling import compiled
from doorward.matching.parameters import MODULUS, RING_DEGREE
from doorward.matching.randomness import fresh_seed, with_noise
from doorward.matching.ring import Words, forward

Q = MODULUS


@dataclass(frozen=True)
class Query:
    """What a matcher is given: ciphertext alone. `face` is centred int32 (n, d)."""

    face: Cells
    mask_seed: bytes

    @cached_property
    def mask(self) -> Cells:
        """The public half, expanded: centred int32 (n, d)."""
        return Mask(self.mask_seed, self.face.shape[1]).cells


@dataclass(frozen=True)
class QueryKey:
    """What decrypts the answers to one query."""

    query: Query
    transformed: Words = field(repr=False)

    @cached_property
    def opened(self) -> Cells:
        """The query without its mask, still transformed: centred int32 (n, d)."""
        out = np.empty_like(self.query.face)
        _without_mask(self.query.face, self.query.mask, self.transformed, out)
        return out


class Asker:
    """Makes queries for templates of one length, and encryptions of zero ahead of need. Safe from any thread."""

    def __init__(self, length: int, ahead: int = 2) -> None:
        self._length = length
        self._ahead = ahead
        self._ready: deque[QueryKey] = deque()
        self._making = threading.Lock()

    def ask(self, numbers: NDArray[np.int32]) -> QueryKey:
        """The query for a template (d,) in units of the query scale; the key stays with whoever asks."""
        if numbers.shape != (self._length,):
            raise Invalid(f"Templates of this gallery have {self._length} numbers.")
        try:
            blank = self._ready.popleft()  # never put back: no encryption serves twice
        except IndexError:
            blank = _blank(self._length)
        _add_numbers(blank.query.face, numbers)
        return blank

    def prepare(self) -> None:
        """Make what is missing of the encryptions of zero: a few milliseconds each."""
        with self._making:
            while len(self._ready) < self._ahead:
                self._ready.append(_blank(self._length))


def _blank(length: int) -> QueryKey:
    secret, mask = BlockSecret(fresh_seed()), Mask.fresh(length)
    noisy = with_noise(np.zeros((RING_DEGREE, length), np.int32))
    forward(noisy)
    face = np.empty(noisy.shape, np.int32)
    add_product(noisy, mask.cells, secret.transformed, face)
    query = Query(face, mask.seed)
    query.__dict__["mask"] = mask.cells  # expanded already
    return QueryKey(query, secret.transformed)


@compiled
def _add_numbers(face, numbers):  # type: ignore[no-untyped-def]  # a constant is the same number in each row
    half = int64(Q) >> int64(1)
    for k in range(face.shape[0]):
        for i in range(face.shape[1]):
            v = (int64(face[k, i]) + int64(numbers[i])) % int64(Q)
            face[k, i] = int32(v - int64(Q) if v > half else v)


@compiled
def _without_mask(face, mask, secret, out):  # type: ignore[no-untyped-def]
    half = int64(Q) >> int64(1)
    for k in range(face.shape[0]):
        s = int64(secret[k])
        for i in range(face.shape[1]):
            v = (int64(face[k, i]) - int64(mask[k, i]) * s) % int64(Q)
            out[k, i] = int32(v - int64(Q) if v > half else v)
