"""What the key holder needs: a store of blocks, and somebody who multiplies."""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from doorward.gallery.model import Wanted
from doorward.matching.blocks import Cells
from doorward.matching.matcher import Answer
from doorward.matching.queries import Query


class Blocks(Protocol):
    """Immutable encrypted blocks, each named by the SHA-256 of its content in hexadecimal."""

    def put(self, cells: Cells) -> str:
        """Keep a block durably; its name. `Unavailable` if the disk or peer refuses."""

    def get(self, digest: str) -> Cells:
        """A block, read-only, its content proven by its name: `NotFound`, `Tampered` otherwise."""

    def is_sound(self, digest: str) -> bool:
        """Whether a block is there and its content still what its name says, read anew."""

    def remove(self, digest: str) -> None:
        """Delete a block; one that is gone already is no error."""

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every block that was put longer ago than this."""


class Matcher(Protocol):
    """Holds blocks and multiplies: nothing secret is ever given to it."""

    def answer(self, query: Query, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf, in the order asked.

        A partial scan is an error, never a short answer: `Unavailable` if any block could not be searched.
        """

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every other block, at once or soon: no query will name one.

        `Unavailable` if that cannot be said now; it is said again at the next sweep.
        """
