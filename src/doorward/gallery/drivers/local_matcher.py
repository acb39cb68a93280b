"""A matcher in this very process: the default."""

from collections.abc import Collection, Sequence

from doorward.gallery.model import Wanted
from doorward.gallery.ports import Blocks, Question
from doorward.matching.matcher import Answer
from doorward.matching.seal_driver import PlainQuery, SealShelf
from doorward.matching.shelving import Shelving


class LocalMatcher:
    """Maps blocks into memory when a query first names them. Safe from any thread."""

    def __init__(self, blocks: Blocks, *, threads: int = 1) -> None:
        self._shelving = Shelving(blocks.get)
        self._threads = threads

    def answer(self, query: Question, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf."""
        mapped = self._shelving.shelves([(wanted.shelf_id, wanted.digests) for wanted in shelves])
        if isinstance(query, PlainQuery):
            sealed = [SealShelf.over(shelf) for shelf in mapped]
            return [shelf.answer(query.numbers, threads=self._threads) for shelf in sealed]
        return [shelf.answer(query, threads=self._threads) for shelf in mapped]

    def keep(self, digests: Collection[str]) -> None:
        """Unmap shelves that hold another block."""
        self._shelving.keep(digests)
