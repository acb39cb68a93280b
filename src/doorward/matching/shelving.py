"""Shelves as a matcher holds them: blocks mapped into memory when a query first names them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence

from doorward.matching.blocks import Cells
from doorward.matching.matcher import Shelf

MOST_SHELVES = 4096  # of 131,072 templates each; those asked for least recently are unmapped


class Shelving:
    """Finds shelves by name and content. Safe from any thread."""

    def __init__(self, get: Callable[[str], Cells], *, most: int = MOST_SHELVES) -> None:
        self._get = get
        self._most = most
        self._shelves: OrderedDict[str, tuple[tuple[str, ...], Shelf]] = OrderedDict()
        self._turn = threading.Lock()

    def shelves(self, wanted: Sequence[tuple[str, tuple[str, ...]]]) -> list[Shelf]:
        """One shelf for each name and its blocks; what `get` raises if one of them is not to be had."""
        with self._turn:
            return [self._shelf(shelf_id, digests) for shelf_id, digests in wanted]

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every shelf that holds another block than these."""
        with self._turn:
            for shelf_id, (held, _) in list(self._shelves.items()):
                if not all(digest in digests for digest in held):
                    del self._shelves[shelf_id]

    def _shelf(self, shelf_id: str, wanted: tuple[str, ...]) -> Shelf:
        digests, shelf = self._shelves.get(shelf_id, ((), Shelf([])))
        if digests != wanted or shelf_id not in self._shelves:
            known = {name: shelf.block(place) for place, name in enumerate(digests)}
            blocks = (known.get(name) for name in wanted)
            shelf = Shelf(
                [
                    self._get(name) if block is None else block
                    for name, block in zip(wanted, blocks, strict=True)
                ]
            )
            self._shelves[shelf_id] = (wanted, shelf)
            while len(self._shelves) > self._most:
                self._shelves.popitem(last=False)
        self._shelves.move_to_end(shelf_id)
        return shelf
