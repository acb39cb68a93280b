"""Which worker searches which shelf: the same one for as long as it can be, and none with much more to do."""

import hashlib
import threading
from collections.abc import Collection, Sequence


class Placement:
    """Rendezvous hashing (Thaler and Ravishankar 1998), with a bound on each worker's load.

    Safe from any thread. A shelf goes to the worker that its name ranks highest among those with room, and
    stays there. So whoever starts anew places shelves that come in the same order alike. Another shelf moves
    none; another worker moves about half of them, for the bound is tight: a search waits for the busiest.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._placed: dict[str, int] = {}
        self._loads = [0] * workers
        self._turn = threading.Lock()

    def of(self, names: Sequence[str]) -> list[int]:
        """The worker of each shelf."""
        with self._turn:
            return [self._of(name) for name in names]

    def keep(self, names: Collection[str]) -> None:
        """Forget the place of every other shelf."""
        with self._turn:
            for name in [name for name in self._placed if name not in names]:
                self._loads[self._placed.pop(name)] -= 1

    def _of(self, name: str) -> int:
        placed = self._placed.get(name)
        if placed is not None:
            return placed
        most = -(-(len(self._placed) + 1) // self._workers)
        with_room = [worker for worker in range(self._workers) if self._loads[worker] < most]
        chosen = max(with_room, key=lambda worker: _rank(name, worker))
        self._placed[name] = chosen
        self._loads[chosen] += 1
        return chosen


def _rank(name: str, worker: int) -> bytes:
    return hashlib.sha256(f"{worker}:{name}".encode()).digest()
