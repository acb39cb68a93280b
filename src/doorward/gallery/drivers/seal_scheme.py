"""Microsoft SEAL's scheme alone: exact, twice as large, slow to seal, and the matcher sees the query."""

import struct
import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid, Tampered
from doorward.matching.blocks import Cells
from doorward.matching.keyholder import Nearest
from doorward.matching.matcher import Answer
from doorward.matching.seal_driver import (
    PlainQuery,
    SealKeys,
    SealSecret,
    cells_of,
    halves_of,
    seal,
    stored,
    unseal,
)
from doorward.matching.seal_library import SealLibrary

WEIGHT: Final = struct.Struct("<I")


class SealScheme:
    """BFV blocks, one key each; SEAL makes keys, encrypts and decrypts. Needs the extra `seal`."""

    def __init__(self) -> None:
        self._made: SealLibrary | None = None
        self._turn = threading.Lock()

    def require(self) -> None:
        """`Unavailable`, naming the extra, where SEAL is not installed."""
        self._library()

    def stored(self, templates: NDArray[np.float32], rotation: bytes) -> NDArray[np.int32]:
        return stored(templates, rotation)

    def asked(self, template: NDArray[np.float32], rotation: bytes) -> NDArray[np.int32]:
        (row,) = stored(template.reshape(1, -1), rotation)
        return np.ascontiguousarray(row)

    def seal(self, steps: NDArray[np.int32], mask_seed: bytes) -> tuple[Cells, bytes]:
        """SEAL draws the public half of each ciphertext itself: a shelf's seed serves nothing here."""
        block, secret = seal(steps, self._library())
        return cells_of(block), WEIGHT.pack(secret.check) + secret.saved

    def unseal(self, cells: Cells, secret: bytes, mask_seed: bytes, length: int) -> NDArray[np.int32]:
        block = halves_of(cells)
        if block.first.shape[1] != length:
            raise Tampered("A block of templates has another form than it was sealed in.")
        return unseal(block, self.secret(secret), self._library())

    def secret(self, raw: bytes) -> SealSecret:
        (check,) = WEIGHT.unpack_from(raw)
        return SealSecret(raw[WEIGHT.size :], check)

    def asker(self, length: int) -> "PlainAsker":
        return PlainAsker(length)

    def keys(self, mask_seed: bytes, length: int) -> "HeldKeys":
        return HeldKeys(SealKeys(length, self._library()))

    def _library(self) -> SealLibrary:
        with self._turn:
            if self._made is None:
                self._made = SealLibrary()
            return self._made


class PlainAsker:
    """Asks in the clear: nothing is made ahead."""

    def __init__(self, length: int) -> None:
        self._length = length

    def ask(self, numbers: NDArray[np.int32]) -> PlainQuery:
        """The query for a template of this gallery's length."""
        if numbers.shape != (self._length,):
            raise Invalid(f"Templates of this gallery have {self._length} numbers.")
        return PlainQuery(numbers)

    def prepare(self) -> None:
        """Nothing."""


class HeldKeys:
    """`SealKeys` for blocks as they are kept."""

    def __init__(self, keys: SealKeys) -> None:
        self._keys = keys

    def put(self, place: int, secret: SealSecret, block: Cells, former: Cells | None) -> None:
        self._keys.put(place, secret, halves_of(block), None if former is None else halves_of(former))

    def set_living(self, place: int, living: NDArray[np.bool_]) -> None:
        self._keys.set_living(place, living)

    def count(self) -> int:
        return self._keys.count()

    def check(self, key: PlainQuery, answer: Answer, *, threads: int = 1) -> None:
        self._keys.check(key.numbers, answer)

    def nearest(
        self,
        key: PlainQuery,
        answer: Answer,
        *,
        besides: tuple[int, int] | None = None,
        threads: int = 1,
    ) -> Nearest | None:
        return self._keys.nearest(answer, besides=besides)

    def score_of(self, key: PlainQuery, answer: Answer, place: int, slot: int) -> float | None:
        return self._keys.score_of(answer, place, slot)
