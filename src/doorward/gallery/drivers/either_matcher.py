"""Encrypted queries go elsewhere; one in the clear never leaves this process."""

from collections.abc import Collection, Sequence
from typing import Protocol

from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.gallery.ports import Question
from doorward.matching.matcher import Answer
from doorward.matching.queries import Query
from doorward.matching.seal_driver import PlainQuery


class There(Protocol):
    """A matcher elsewhere, which takes encrypted queries alone."""

    def answer(self, query: Query, shelves: Sequence[Wanted]) -> list[Answer]: ...
    def keep(self, digests: Collection[str]) -> None: ...
    def close(self) -> None: ...


class EitherMatcher:
    """A matcher elsewhere, at a site that may still search by SEAL until its renewal is done."""

    def __init__(self, there: There, here: LocalMatcher) -> None:
        self._there = there
        self._here = here

    def answer(self, query: Question, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf."""
        if isinstance(query, PlainQuery):
            return self._here.answer(query, shelves)
        return self._there.answer(query, shelves)

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every other block, on both sides."""
        self._here.keep(digests)
        self._there.keep(digests)

    def close(self) -> None:
        """Let go of the connections."""
        self._there.close()
