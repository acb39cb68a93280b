"""Encrypts one template as a query, under a secret that serves this query alone.

    y_{0,i} = alpha_i z + e_i + y_i        y_{1,i} = alpha_i, expanded from a public seed

with a constant polynomial y_i a coordinate. All of it but the y_i is an encryption of zero, which can be made
before anybody stands at the door: adding the template then takes a few hundredths of a millisecond.
"""

import os
import threading
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy import int32
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import Cells, Mask, are_cells
from doorward.matching.compiling import compiled, given, into
from doorward.matching.encrypting import encrypt
from doorward.matching.parameters import LONGEST_TEMPLATE, MODULUS, QUERY_REACH, SEED_BYTES
from doorward.matching.ring import Words

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
    """What decrypts the answers to one query.

    `opened` is the query without its mask, still transformed: centred int32 (n, d).
    """

    query: Query
    transformed: Words = field(repr=False)
    opened: Cells = field(repr=False)


def encrypted(numbers: NDArray[np.int32], *, threads: int) -> QueryKey:
    """A query under a fresh secret."""
    made = encrypt(numbers, threads=threads)
    query = Query.__new__(Query)  # without looking whether its numbers are small: our loops see to that
    query.__dict__.update(face=made.face, mask_seed=made.mask_seed, mask=made.mask)
    return QueryKey(query, made.secret, made.opened)


class Asker:
    """Makes queries for templates of one length, and encryptions of zero ahead of need.

    Safe from any thread. A forked process throws away what its parent made ahead.
    """

    def __init__(self, length: int, ahead: int = 2, *, threads: int = 1) -> None:
        self._length = length
        self._ahead = ahead
        self._threads = threads
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
            return encrypted(numbers, threads=self._threads)
        _add_numbers(blank.query.face, blank.opened, numbers)
        return blank

    def prepare(self) -> None:
        """Make what is missing of the encryptions of zero: a millisecond each, of this thread alone."""
        self._forget_after_fork()
        with self._making:
            while len(self._ready) < self._ahead:
                self._ready.append(encrypted(np.zeros(self._length, np.int32), threads=1))

    def _forget_after_fork(self) -> None:
        if self._process != os.getpid():
            self._process, self._ready, self._making = os.getpid(), deque(), threading.Lock()


@compiled(into(int32, 2), into(int32, 2), given(int32, 1))
def _add_numbers(face: Cells, opened: Cells, numbers: NDArray[np.int32]) -> None:
    """Add a constant polynomial a coordinate, which is the same number in each row; both stay centred."""
    half = int32(Q >> 1)
    for k in range(face.shape[0]):
        for i in range(face.shape[1]):
            n = numbers[i]
            v = int32(face[k, i] + n)
            v = int32(v - int32(Q)) if v > half else v
            face[k, i] = int32(v + int32(Q)) if v < -half else v
            w = int32(opened[k, i] + n)
            w = int32(w - int32(Q)) if w > half else w
            opened[k, i] = int32(w + int32(Q)) if w < -half else w
