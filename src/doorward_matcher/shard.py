"""One worker's part of a search: maps the blocks of its shelves, multiplies, and says what it lacks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from doorward.core.errors import NotFound, Tampered
from doorward.matching import messages
from doorward.matching.block_files import FolderBlocks, digest_of
from doorward.matching.blocks import Cells
from doorward.matching.messages import WantedShelf
from doorward.matching.ring import Words
from doorward.matching.shelving import Shelving


@dataclass(frozen=True, slots=True)
class Part:
    """The two halves of an answer for each shelf asked, or, if a block is missing, which; never both."""

    halves: list[tuple[Words, Words]]
    missing: list[str]


class Store:
    """Blocks of one decider: first in a folder that is read and never changed, then in one of our own."""

    def __init__(self, own: Path, beside: Path | None) -> None:
        self._own = FolderBlocks(own)
        self._beside = FolderBlocks(beside) if beside is not None else None

    def get(self, digest: str) -> Cells:
        """A block, proven by its name."""
        if self._beside is not None:
            try:
                return self._beside.get(digest)
            except (NotFound, Tampered):
                pass  # whoever keeps that folder mends it; meanwhile we may have our own
        return self._own.get(digest)

    def put(self, cells: Cells) -> None:
        """Keep a block in our own folder."""
        self._own.put(cells)

    def keep(self, digests: Collection[str], *, older_than_seconds: float) -> None:
        """Remove every other block of our own that did not come lately."""
        for name in self._own.names(older_than_seconds=older_than_seconds):
            if name not in digests:
                self._own.remove(name)

    def lacks(self, digest: str) -> bool:
        """Whether a block must be sent, because it is not here or damaged."""
        try:
            self.get(digest)
        except (NotFound, Tampered):
            return True
        return False


class Shard:
    """Shelves of any number of deciders, each with blocks of its own. Safe from any thread."""

    def __init__(self, own: Path, beside: Path | None, *, threads: int) -> None:
        self._own = own
        self._beside = beside
        self._threads = threads
        self._held: dict[str, tuple[Store, Shelving]] = {}

    def search(self, decider: str, message: bytes, places: Sequence[int]) -> Part:
        """The answers for the shelves at these places of a search."""
        search = messages.decode_search(message)
        wanted = [search.shelves[place] for place in places]
        store, shelving = self._holding(decider)
        try:
            shelves = shelving.shelves([(one.id, one.digests) for one in wanted])
        except (NotFound, Tampered):
            return Part([], _missing(store, wanted))
        answers = [shelf.answer(search.query, threads=self._threads) for shelf in shelves]
        return Part([(answer.face, answer.mask) for answer in answers], [])

    def put(self, decider: str, message: bytes) -> None:
        """Keep a block; `Tampered` if it is another than it is named."""
        digest, cells = messages.decode_put(message)
        if digest_of(cells) != digest:
            raise Tampered("A block came damaged.")
        self._holding(decider)[0].put(cells)

    def keep(self, decider: str, digests: frozenset[str], spared_seconds: float) -> None:
        """Let go of every other block, but for those that came lately."""
        store, shelving = self._holding(decider)
        shelving.keep(digests)
        store.keep(digests, older_than_seconds=spared_seconds)

    def _holding(self, decider: str) -> tuple[Store, Shelving]:
        held = self._held.get(decider)
        if held is None:
            store = Store(self._own / decider, self._beside / decider if self._beside else None)
            held = self._held.setdefault(decider, (store, Shelving(store.get)))
        return held


def _missing(store: Store, wanted: Sequence[WantedShelf]) -> list[str]:
    named = dict.fromkeys(digest for shelf in wanted for digest in shelf.digests)
    return [digest for digest in named if store.lacks(digest)]
