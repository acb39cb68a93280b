"""Who is compared: our encrypted search, step by step, and searches of the same people in the clear."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module, metadata
from typing import Any, Protocol

import numpy as np

from doorward.app.bench.town import PER_SHELF, SITE, Spent, Templates, Town
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.queries import Asker
from doorward.matching.rotation import asked

CUT = 0.5  # of a cosine; what the decider decides by
OURS, PREPARED = "encrypted", "encrypted, query prepared"
NUMPY, FAISS, USEARCH = "numpy", "faiss", "usearch"
STEPS = ("encrypt", "match", "check", "decrypt and decide")


class Contender(Protocol):
    """Finds the nearest person of a town."""

    name: str

    def ready(self) -> None:
        """What may be done before anybody stands at the door; not counted."""

    def find(self, face: Templates) -> int:
        """Whom this face comes nearest to; -1 for nobody near enough."""


@dataclass
class Ours:
    """Encrypt, match, check, decrypt, decide, in one process; `spent` says how long each took."""

    town: Town
    threads: int
    prepared: bool
    spent: dict[str, Spent] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = PREPARED if self.prepared else OURS
        self._asker = Asker(self.town.length, ahead=1, threads=self.threads)

    def ready(self) -> None:
        if self.prepared:
            self._asker.prepare()

    def find(self, face: Templates) -> int:
        shelves, threads = self.town.shelves, self.threads
        with self._timed("encrypt"):
            key = self._asker.ask(asked(face, SITE))
        with self._timed("match"):
            answers = [one.shelf.answer(key.query, threads=threads) for one in shelves]
        with self._timed("check"):
            for one, answer in zip(shelves, answers, strict=True):
                one.keys.check(key, answer, threads=threads)
        with self._timed("decrypt and decide"):
            found = [
                one.keys.nearest(key, answer, threads=threads)
                for one, answer in zip(shelves, answers, strict=True)
            ]
            score, number = max(
                (each.score, place * PER_SHELF + each.block * BLOCK_SIZE + each.slot)
                for place, each in enumerate(found)
                if each
            )
            return number if score >= CUT else -1

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = Spent.now()
        yield
        self.spent[step] = began.until(Spent.now())


@dataclass
class Clear:
    """A search that sees every template."""

    name: str
    find: Callable[[Templates], int]

    def ready(self) -> None:
        """Nothing."""


def in_the_clear(people: Templates, threads: int) -> list[Clear]:
    """Those that are installed; NumPy always is."""
    found = [Clear(NUMPY, lambda face: int(np.argmax(people @ face)))]
    with suppress(ImportError):
        found.append(_faiss(people, threads))
    with suppress(ImportError):
        found.append(_usearch(people, threads))
    return found


def version(name: str) -> str:
    """Which one, for the record; empty where it is not installed."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version({FAISS: "faiss-cpu"}.get(name, name))
    return ""


def _faiss(people: Templates, threads: int) -> Clear:
    faiss: Any = import_module("faiss")
    faiss.omp_set_num_threads(threads)
    index = faiss.IndexFlatIP(people.shape[1])
    index.add(people)

    def find(face: Templates) -> int:
        _, places = index.search(face[None], 1)
        return int(places[0, 0])

    return Clear(FAISS, find)


def _usearch(people: Templates, threads: int) -> Clear:
    search: Any = import_module("usearch.index")

    def find(face: Templates) -> int:
        found = search.search(people, face[None], 1, search.MetricKind.IP, exact=True, threads=threads)
        return int(np.ravel(found.keys)[0])

    return Clear(USEARCH, find)
