"""What a decider and a matcher send each other: little endian, every length stated and checked before use.

    any message   "DWMM", message format u16, format of the scheme u16, kind u8, three zeros
    search        length u16, shelves u16, mask seed 32, cells i32 (n, length),
                  then a shelf: id length u8, blocks u8, id, a digest of 32 bytes a block
    put           length u16, zero u16, digest 32, cells i32 (n, length)
    among, keep   count u32, digests
    answer        shelves u32, blocks u32 a shelf, then a shelf: face u32 (blocks, n), mask u32 (blocks, n)
    lacks         count u32, digests
    done          nothing
    fault         length u8, a code in small letters

`Invalid` for anything else, also for one byte too many. Nothing is allocated on the word of a sender: arrays
are views of what came in.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.blocks import Cells
from doorward.matching.matcher import Answer
from doorward.matching.parameters import BLOCKS_PER_MASK, FORMAT, LONGEST_TEMPLATE, RING_DEGREE
from doorward.matching.queries import Query

MESSAGE_FORMAT: Final = 1
MAGIC: Final = b"DWMM"
DIGEST_BYTES: Final = 32
MOST_SHELVES: Final = 64  # in one search: 8.4 million templates; whoever has more asks several times
MOST_DIGESTS: Final = 1 << 18  # in one list: half a thousand million templates
LONGEST_ID: Final = 64
LONGEST_CODE: Final = 64

_HEAD = struct.Struct("<4sHHB3s")
_SEARCH = struct.Struct("<HH32s")
_PUT = struct.Struct("<HH32s")
_SHELF = struct.Struct("<BB")
_COUNT = struct.Struct("<I")
_ID = re.compile(rb"[a-z0-9_]{1,64}")
_CODE = re.compile(rb"[a-z][a-z-]{0,63}")
_LARGEST_CELLS = 4 * RING_DEGREE * LONGEST_TEMPLATE
_LARGEST_SHELF = _SHELF.size + LONGEST_ID + BLOCKS_PER_MASK * DIGEST_BYTES
_LISTED = _HEAD.size + _COUNT.size

LARGEST_SEARCH: Final = _HEAD.size + _SEARCH.size + _LARGEST_CELLS + MOST_SHELVES * _LARGEST_SHELF
LARGEST_PUT: Final = _HEAD.size + _PUT.size + _LARGEST_CELLS
LARGEST_LIST: Final = _LISTED + MOST_DIGESTS * DIGEST_BYTES


class Kind(IntEnum):
    """What a message is."""

    SEARCH = 1
    AMONG = 2
    PUT = 3
    KEEP = 4
    ANSWER = 129
    LACKS = 130
    DONE = 131
    FAULT = 132


@dataclass(frozen=True, slots=True)
class WantedShelf:
    """A shelf to be searched: a name without meaning, and its blocks in order, each by its digest in hex."""

    id: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A query and where to look."""

    query: Query
    shelves: tuple[WantedShelf, ...]


def encode_search(query: Query, shelves: Sequence[WantedShelf]) -> bytes:
    """A search."""
    if not 1 <= len(shelves) <= MOST_SHELVES:
        raise Invalid(f"One search names 1 to {MOST_SHELVES} shelves.")
    parts: list[bytes | memoryview] = [_head(Kind.SEARCH)]
    parts.append(_SEARCH.pack(query.face.shape[1], len(shelves), query.mask_seed))
    parts.append(_little(query.face))
    for shelf in shelves:
        name = shelf.id.encode()
        if not _ID.fullmatch(name) or len(shelf.digests) > BLOCKS_PER_MASK:
            raise Invalid("A shelf has a short name of small letters and digits, and at most 64 blocks.")
        parts += [_SHELF.pack(len(name), len(shelf.digests)), name, *map(_raw, shelf.digests)]
    return b"".join(parts)


def decode_search(message: bytes) -> Search:
    """What `encode_search` wrote; its numbers are views of the message."""
    reader = _Reader(message, Kind.SEARCH, LARGEST_SEARCH)
    length, count, seed = reader.unpack(_SEARCH)
    if not 1 <= count <= MOST_SHELVES:
        raise Invalid("A search names too few or too many shelves.")
    query = Query(reader.cells(length), seed)
    shelves = tuple(reader.shelf() for _ in range(count))
    reader.end()
    return Search(query, shelves)


def encode_put(digest: str, cells: Cells) -> bytes:
    """A block, under its name."""
    return b"".join((_head(Kind.PUT), _PUT.pack(cells.shape[1], 0, _raw(digest)), _little(cells)))


def decode_put(message: bytes) -> tuple[str, Cells]:
    """What `encode_put` wrote; whether the name fits the block is for the reader to check."""
    reader = _Reader(message, Kind.PUT, LARGEST_PUT)
    length, zero, digest = reader.unpack(_PUT)
    if zero:
        raise Invalid("A message is damaged.")
    cells = reader.cells(length)
    reader.end()
    return digest.hex(), cells


def encode_list(kind: Kind, digests: Sequence[str]) -> bytes:
    """A list of blocks: `AMONG` asks which of these are missing, `KEEP` keeps no others, `LACKS` answers."""
    if len(digests) > MOST_DIGESTS:
        raise Invalid(f"One list names at most {MOST_DIGESTS} blocks.")
    return b"".join((_head(kind), _COUNT.pack(len(digests)), *map(_raw, digests)))


def decode_list(message: bytes, kind: Kind) -> list[str]:
    """What `encode_list` wrote."""
    reader = _Reader(message, kind, LARGEST_LIST)
    (count,) = reader.unpack(_COUNT)
    if count > MOST_DIGESTS:
        raise Invalid("A list names too many blocks.")
    digests = reader.digests(count)
    reader.end()
    return digests


def encode_answers(answers: Sequence[Answer]) -> list[memoryview]:
    """Answers in parts, to be sent one after the other: nothing large is copied."""
    counts = [len(answer.face) for answer in answers]
    head = _head(Kind.ANSWER) + struct.pack(f"<I{len(counts)}I", len(counts), *counts)
    words = [array for answer in answers for array in (answer.face, answer.mask) if array.size]
    return [memoryview(head), *(_little(array) for array in words)]


def decode_answers(message: bytes, shelves: Sequence[WantedShelf]) -> list[Answer]:
    """One answer for each of these shelves and block of it, or `Invalid`. Numbers are not checked here."""
    reader = _Reader(message, Kind.ANSWER, largest_answer(shelves))
    expected = [len(shelf.digests) for shelf in shelves]
    found = reader.unpack(struct.Struct(f"<I{len(expected)}I"))
    if list(found) != [len(expected), *expected]:
        raise Invalid("An answer is not for what was asked.")
    answers = [Answer(reader.words(blocks), reader.words(blocks)) for blocks in expected]
    reader.end()
    return answers


def largest_answer(shelves: Sequence[WantedShelf]) -> int:
    """How long the answer to a search of these is."""
    blocks = sum(len(shelf.digests) for shelf in shelves)
    return _HEAD.size + 4 * (1 + len(shelves)) + 8 * RING_DEGREE * blocks


def encode_done() -> bytes:
    """The deed is done."""
    return _head(Kind.DONE)


def decode_done(message: bytes) -> None:
    """`Invalid` unless it is done."""
    _Reader(message, Kind.DONE, _HEAD.size).end()


def encode_fault(code: str) -> bytes:
    """Why something was not done, as a code."""
    raw = code.encode()
    if not _CODE.fullmatch(raw):
        raise Invalid("A code has small letters and hyphens.")
    return b"".join((_head(Kind.FAULT), bytes([len(raw)]), raw))


def decode_fault(message: bytes) -> str:
    """The code."""
    reader = _Reader(message, Kind.FAULT, _HEAD.size + 1 + LONGEST_CODE)
    code = reader.take(reader.take(1)[0])
    reader.end()
    if not _CODE.fullmatch(code):
        raise Invalid("A message is damaged.")
    return code.decode()


def kind_of(message: bytes) -> Kind:
    """What a message says it is."""
    try:
        return Kind(message[8])
    except (IndexError, ValueError) as error:
        raise Invalid("This is no message between decider and matcher.") from error


class _Reader:
    """Takes a message apart from front to back."""

    def __init__(self, message: bytes, kind: Kind, largest: int) -> None:
        self._message = message
        self._at = 0
        if len(message) > largest:
            raise Invalid("A message is longer than any of its kind.")
        magic, message_format, scheme, found, zeros = self.unpack(_HEAD)
        if magic != MAGIC or any(zeros):
            raise Invalid("This is no message between decider and matcher.")
        if (message_format, scheme) != (MESSAGE_FORMAT, FORMAT):
            raise Invalid("This message is of another version of Doorward: run the same on both sides.")
        if found != kind:
            raise Invalid("A message is of another kind than its place.")

    def take(self, size: int) -> bytes:
        if size > len(self._message) - self._at:
            raise Invalid("A message is cut short.")
        self._at += size
        return self._message[self._at - size : self._at]

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self.take(form.size))

    def cells(self, length: int) -> Cells:
        if not 1 <= length <= LONGEST_TEMPLATE:
            raise Invalid(f"Templates have 1 to {LONGEST_TEMPLATE} coordinates.")
        return self._array("<i4", (RING_DEGREE, length))

    def words(self, blocks: int) -> NDArray[np.uint32]:
        return self._array("<u4", (blocks, RING_DEGREE))

    def digests(self, count: int) -> list[str]:
        raw = self.take(count * DIGEST_BYTES)
        return [raw[at : at + DIGEST_BYTES].hex() for at in range(0, len(raw), DIGEST_BYTES)]

    def shelf(self) -> WantedShelf:
        named, blocks = self.unpack(_SHELF)
        if not 1 <= named <= LONGEST_ID or blocks > BLOCKS_PER_MASK:
            raise Invalid("A shelf of a search is named too long, or has too many blocks.")
        name = self.take(named)
        if not _ID.fullmatch(name):
            raise Invalid("A shelf of a search has an unusable name.")
        return WantedShelf(name.decode(), tuple(self.digests(blocks)))

    def end(self) -> None:
        if self._at != len(self._message):
            raise Invalid("A message is longer than it says.")

    def _array(self, form: str, shape: tuple[int, int]) -> NDArray[Any]:
        size = 4 * shape[0] * shape[1]
        if size > len(self._message) - self._at:
            raise Invalid("A message is cut short.")
        flat = np.frombuffer(self._message, form, size // 4, self._at)
        self._at += size
        return flat.reshape(shape)


def _head(kind: Kind) -> bytes:
    return _HEAD.pack(MAGIC, MESSAGE_FORMAT, FORMAT, kind, bytes(3))


def _raw(digest: str) -> bytes:
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        raw = b""
    if len(raw) != DIGEST_BYTES:
        raise Invalid("A block is named by 64 hexadecimal digits.")
    return raw


def _little(array: NDArray[np.int32] | NDArray[np.uint32]) -> memoryview:
    form = array.dtype.newbyteorder("<")
    return np.ascontiguousarray(array, form).reshape(-1).data.cast("B")
