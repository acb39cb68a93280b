"""What a matcher does for deciders, each with blocks of its own: keep, name what is missing, multiply."""

import hashlib
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import numpy as np

from doorward.core.errors import NotFound, Tampered
from doorward.matching import messages
from doorward.matching.block_files import FolderBlocks, digest_of
from doorward.matching.block_objects import ObjectBlocks
from doorward.matching.blocks import Cells
from doorward.matching.matcher import SHARED_FROM, Answer, Shelf
from doorward.matching.messages import Kind, Search, WantedShelf
from doorward.matching.parameters import RING_DEGREE, SEED_BYTES
from doorward.matching.queries import Query
from doorward.matching.shelving import Shelving
from doorward_matcher.ray_shards import Partial, RayShards

SPARED_SECONDS = 600.0  # what came so lately may belong to a deed that its decider has not finished


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, and a body in parts."""

    status: HTTPStatus
    parts: Sequence[memoryview | bytes]

    @property
    def length(self) -> int:
        """Of the whole body, in bytes."""
        return sum(map(len, self.parts))


def fault(status: HTTPStatus, code: str) -> Reply:
    """Nothing was done, and why."""
    return Reply(status, [messages.encode_fault(code)])


DONE = Reply(HTTPStatus.OK, [messages.encode_done()])


Kept = FolderBlocks | ObjectBlocks


class Holding:
    """The blocks of one decider."""

    def __init__(self, blocks: Kept) -> None:
        self.blocks = blocks
        self.shelving = Shelving(self.get)
        self._turn = threading.Lock()
        # Half-written ones go: at the start nobody writes.
        self.count = sum(1 for _ in self.blocks.names(older_than_seconds=float("-inf")))

    def get(self, digest: str) -> Cells:
        """A block; one that a store had is here from now on."""
        was_here = self.blocks.has(digest)
        cells = self.blocks.get(digest)
        if not was_here:
            with self._turn:
                self.count += 1
        return cells

    def lacks(self, digest: str) -> bool:
        """Whether a block must be sent; a damaged one is thrown away, and must be."""
        try:
            self.get(digest)
        except NotFound:
            return True
        except Tampered:
            self._remove(digest)
            return True
        return False

    def put(self, digest: str, cells: Cells, *, room: int) -> bool:
        """Keep a block; whether there was room for one more."""
        with self._turn:
            is_new = not self.blocks.has(digest)
            if is_new and room < 1:
                return False
            self.blocks.put(cells)
            self.count += is_new
        return True

    def keep(self, digests: Collection[str]) -> None:
        """Remove all others that did not come lately."""
        self.shelving.keep(digests)
        for name in self.blocks.names(older_than_seconds=SPARED_SECONDS):
            if name not in digests:
                self._remove(name)

    def _remove(self, digest: str) -> None:
        with self._turn:
            self.count -= self.blocks.has(digest)
            self.blocks.remove(digest)


class Counter:
    """Takes messages that were proven to be their decider's. Safe from any thread."""

    def __init__(
        self,
        folder: Path,
        deciders: frozenset[bytes],
        *,
        threads: int,
        most_blocks: int,
        shards: RayShards | None = None,
        opened: Callable[[Path], Kept] = FolderBlocks,
    ) -> None:
        self._held = {decider: Holding(opened(folder / _folder_of(decider))) for decider in deciders}
        self._shards = shards
        self._threads = threads
        self._most = most_blocks

    def search(self, decider: bytes, message: bytes) -> Reply:
        """The answers, or, where a block is missing, which; never a part of them."""
        search = messages.decode_search(message)
        holding = self._held[decider]
        try:
            answers = self._answers(decider, message, search)
        except (NotFound, Tampered):
            return self._lacking(holding, search.shelves)
        except Partial:
            return fault(HTTPStatus.SERVICE_UNAVAILABLE, "workers")
        return Reply(HTTPStatus.OK, messages.encode_answers(answers))

    def among(self, decider: bytes, message: bytes) -> Reply:
        """Which of these blocks are missing."""
        holding = self._held[decider]
        missing = [one for one in messages.decode_list(message, Kind.AMONG) if holding.lacks(one)]
        return Reply(HTTPStatus.OK, [messages.encode_list(Kind.LACKS, missing)])

    def put(self, decider: bytes, message: bytes) -> Reply:
        """Keep a block, if it is the one that it is named."""
        digest, cells = messages.decode_put(message)
        if digest_of(cells) != digest:
            return fault(HTTPStatus.BAD_REQUEST, "another-block")
        room = self._most - sum(holding.count for holding in self._held.values())
        if not self._held[decider].put(digest, cells, room=room):
            return fault(HTTPStatus.INSUFFICIENT_STORAGE, "full")
        return DONE

    def keep(self, decider: bytes, message: bytes) -> Reply:
        """Forget every block but these, and those that came lately."""
        kept = set(messages.decode_list(message, Kind.KEEP))
        self._held[decider].keep(kept)
        if self._shards is not None:
            try:
                self._shards.keep(_folder_of(decider), kept, spared_seconds=SPARED_SECONDS)
            except Partial:
                return fault(HTTPStatus.SERVICE_UNAVAILABLE, "workers")
        return DONE

    def _answers(self, decider: bytes, message: bytes, search: Search) -> list[Answer]:
        holding = self._held[decider]
        if self._shards is not None:
            return self._shards.search(_folder_of(decider), message, search, holding.blocks.get)
        shelves = holding.shelving.shelves([(one.id, one.digests) for one in search.shelves])
        return [shelf.answer(search.query, threads=self._threads) for shelf in shelves]

    def _lacking(self, holding: Holding, shelves: Sequence[WantedShelf]) -> Reply:
        wanted = dict.fromkeys(digest for shelf in shelves for digest in shelf.digests)
        missing = [digest for digest in wanted if holding.lacks(digest)]
        return Reply(HTTPStatus.NOT_FOUND, [messages.encode_list(Kind.LACKS, missing)])


def warm_up(threads: int) -> None:
    """Have in memory what a search needs, and no more: the loops of the key holder are not used here."""
    block = np.zeros((RING_DEGREE, 1), np.int32)
    Shelf([block] * SHARED_FROM).answer(Query(block, bytes(SEED_BYTES)), threads=threads)


def _folder_of(decider: bytes) -> str:
    return hashlib.sha256(decider).hexdigest()[:16]
