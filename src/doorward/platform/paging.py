"""Long lists in pages: a cursor says where the next page starts and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Invalid

Item = TypeVar("Item")

MOST_PER_PAGE = 200
LONGEST_NUMBER = 16  # digits; databases reckon with 64 bits
LONGEST_CURSOR = 400
NOT_OURS = "This cursor is not one of ours: start again without it."


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items and where the next ones start; `next_cursor` is None on the last page."""

    items: Sequence[Item]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What the caller wants: at most `limit` items after `after` (an item's own sort key)."""

    after: str | None
    limit: int

    @property
    def before_number(self) -> int | None:
        """The number where a page of numbered items, newest first, goes on; `Invalid` for what is none."""
        if self.after is None:
            return None
        if not (self.after.isascii() and self.after.isdecimal() and len(self.after) < LONGEST_NUMBER):
            raise Invalid(NOT_OURS)
        return int(self.after)


def page_request(cursor: str | None = None, limit: int = 50) -> PageRequest:
    """A FastAPI dependency; `Invalid` for a cursor that we did not make or a limit out of range."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid(f"limit must be between 1 and {MOST_PER_PAGE}.")
    try:
        after = from_text(cursor[:LONGEST_CURSOR]).decode() if cursor else None
    except ValueError as error:
        raise Invalid(NOT_OURS) from error
    if after is not None and not after.isprintable():
        raise Invalid(NOT_OURS)
    return PageRequest(after, limit)


def make_page(found: Sequence[Item], wanted: PageRequest, key: Callable[[Item], str]) -> Page[Item]:
    """Cut a list fetched with `limit + 1` items into a page."""
    items = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Page(items, to_text(key(items[-1]).encode()) if more else None)
