"""Encrypts one template as a query, under a secret that serves this query alone.

    y_{0,i} = alpha_i z + e_i + y_i        y_{1,i} = alpha_i, expanded from a public seed

with a constant polynomial y_i a coordinate. All of it but the y_i is an encryption of zero, which can be made
before anybody stands at the door: adding the template then takes a tenth of a millisecond.
"""

import os
import threading
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numba import int32, int64, uint32
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import BlockSecret, Cells, Mask, add_product, are_cells
from doorward.matching.compiling import compiled, given, into
from doorward.matching.parameters import LONGEST_TEMPLATE, MODULUS, QUERY_REACH, RING_DEGREE, SEED_BYTES
from doorward.matching.randomness import fresh_seed, wipe, with_noise
from doorward.matching.ring import Words, forward

Q = MODULUS


@dataclass(frozen=True)
class Query:
    """What a matcher is given: ciphertext alone. `face` is centred int32 (n, d); `Invalid` if it is not."""

    face: Cells
    mask_seed: bytes

    def __post_init__(self) -> None:
        face = self.face
        if face.ndim != 2 or not are_cells(face, face.shape[1]) or len(self.mask_seed) != SEED_BYTES:
            raise Invalid("A query is a contiguous int32 matrix of 2048 rows, and a seed.")
        if not 1 <= face.shape[1] <= LONGEST_TEMPLATE or face.min() < -(Q >> 1) or face.max() > Q >> 1:
            raise Invalid("A query has numbers between -q/2 and q/2.")  # larger ones would overflow in a sum

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
    """Makes queries for templates of one length, and encryptions of zero ahead of need.

    Safe from any thread. A forked process throws away what its parent made ahead.
    """

    def __init__(self, length: int, ahead: int = 2) -> None:
        self._length = length
        self._ahead = ahead
        self._ready: deque[QueryKey] = deque()
        self._making = threading.Lock()
        self._process = os.getpid()

    def ask(self, numbers: NDArray[np.int32]) -> QueryKey:
        """The query for a template (d,) in units of the query scale; the key stays with whoever asks."""
        if numbers.shape != (self._length,) or numbers.dtype != np.int32:
            raise Invalid(f"Templates of this gallery have {self._length} numbers.")
        if not float(np.linalg.norm(numbers)) <= QUERY_REACH:
            raise Invalid("A template is of length one: a longer one would wrap around and match anybody.")
        self._forget_after_fork()
        try:
            blank = self._ready.popleft()  # never put back: no encryption serves twice
        except IndexError:
            blank = _blank(self._length)
        _add_numbers(blank.query.face, numbers)
        return blank

    def prepare(self) -> None:
        """Make what is missing of the encryptions of zero: a few milliseconds each."""
        self._forget_after_fork()
        with self._making:
            while len(self._ready) < self._ahead:
                self._ready.append(_blank(self._length))

    def _forget_after_fork(self) -> None:
        if self._process != os.getpid():
            self._process, self._ready, self._making = os.getpid(), deque(), threading.Lock()


def _blank(length: int) -> QueryKey:
    secret, mask = BlockSecret(fresh_seed()), Mask.fresh(length)
    noisy = with_noise(np.zeros((RING_DEGREE, length), np.int32))
    forward(noisy)
    face = np.empty(noisy.shape, np.int32)
    add_product(noisy, mask.cells, secret.transformed, face)
    wipe(noisy)
    query = Query(face, mask.seed)
    query.__dict__["mask"] = mask.cells  # expanded already
    return QueryKey(query, secret.transformed)


@compiled(into(int32, 2), given(int32, 1))
def _add_numbers(
    face: Cells, numbers: NDArray[np.int32]
) -> None:  # a constant is the same number in each row
    half = int64(Q) >> int64(1)
    for k in range(face.shape[0]):
        for i in range(face.shape[1]):
            v = (int64(face[k, i]) + int64(numbers[i])) % int64(Q)
            face[k, i] = int32(v - int64(Q) if v > half else v)


@compiled(given(int32, 2), given(int32, 2), given(uint32, 1), into(int32, 2))
def _without_mask(face: Cells, mask: Cells, secret: Words, out: Cells) -> None:
    half = int64(Q) >> int64(1)
    for k in range(face.shape[0]):
        s = int64(secret[k])
        for i in range(face.shape[1]):
            v = (int64(face[k, i]) - int64(mask[k, i]) * s) % int64(Q)
            out[k, i] = int32(v - int64(Q) if v > half else v)
