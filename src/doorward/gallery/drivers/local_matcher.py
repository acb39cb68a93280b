"""A matcher in this very process: the default."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from doorward.gallery.model import Wanted
from doorward.gallery.ports import Blocks
from doorward.matching.matcher import Answer, Shelf
from doorward.matching.queries import Query

MOST_SHELVES = 4096  # of 131,072 templates each; those asked for least recently are unmapped


class LocalMatcher:
    """Maps blocks into memory when a query first names them. Safe from any thread."""

    def __init__(self, blocks: Blocks, *, threads: int = 1) -> None:
        self._blocks = blocks
        self._threads = threads
        self._shelves: OrderedDict[str, tuple[tuple[str, ...], Shelf]] = OrderedDict()
        self._turn = threading.Lock()

    def answer(self, query: Query, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf."""
        with self._turn:
            mapped = [self._shelf(wanted) for wanted in shelves]
        return [shelf.answer(query, threads=self._threads) for shelf in mapped]

    def _shelf(self, wanted: Wanted) -> Shelf:
        digests, shelf = self._shelves.get(wanted.shelf_id, ((), Shelf([])))
        if digests != wanted.digests:
            known = {name: shelf.block(place) for place, name in enumerate(digests)}
            blocks = (known.get(name) for name in wanted.digests)
            shelf = Shelf(
                [
                    self._blocks.get(name) if block is None else block
                    for name, block in zip(wanted.digests, blocks, strict=True)
                ]
            )
            self._shelves[wanted.shelf_id] = (wanted.digests, shelf)
            while len(self._shelves) > MOST_SHELVES:
                self._shelves.popitem(last=False)
        self._shelves.move_to_end(wanted.shelf_id)
        return shelf
