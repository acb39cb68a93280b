"""A matcher in a thief's hands: it answers honestly and keeps all that passes through it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doorward.gallery.model import Wanted
from doorward.gallery.ports import Blocks, Matcher
from doorward.matching.blocks import Cells
from doorward.matching.matcher import Answer
from doorward.matching.queries import Query
from tests.attacks.thief import polynomials, undone


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """One search: the query, what was asked for, what was answered."""

    query: Query
    wanted: tuple[Wanted, ...]
    answers: tuple[Answer, ...]


@dataclass
class Spy:
    """Keeps every block that it ever saw, and every search, or what is worth keeping of it."""

    honest: Matcher
    blocks: Blocks
    whole: bool = True
    seen: list[Passed] = field(default_factory=list)
    versions: dict[str, Cells] = field(default_factory=dict)
    notes: list[NDArray[np.float64]] = field(default_factory=list)

    def answer(self, query: Any, shelves: Sequence[Wanted]) -> list[Answer]:
        answers = self.honest.answer(query, shelves)
        for wanted in shelves:
            for digest in wanted.digests:
                self.versions.setdefault(digest, self.blocks.get(digest).copy())
        self.notes.append(noted(query, answers))
        if self.whole:
            self.seen.append(Passed(query, tuple(shelves), tuple(answers)))
        return answers

    def keep(self, digests: Collection[str]) -> None:
        self.honest.keep(digests)


def noted(query: Query, answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Numbers about one search in which a template or a score might show, if it showed anywhere.

    The query's constant coefficients, where the template lies, and the mean of its rows; the answers'
    coefficients, where the scores of all 2048 places lie.
    """
    answered = [polynomials(half).ravel() for one in answers for half in (one.face, one.mask)]
    parts = [undone(query.face)[0], query.face.mean(0), *answered]
    return np.concatenate(parts).astype(np.float64)
