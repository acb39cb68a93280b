"""Long lists in pages: a cursor says where the next page starts and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Invalid

Item = TypeVar("Item")

MOST_PER_PAGE = 200


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


def page_request(cursor: str | None = None, limit: int = 50) -> PageRequest:
    """A FastAPI dependency; `Invalid` for a cursor that we did not make or a limit out of range."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid(f"limit must be between 1 and {MOST_PER_PAGE}.")
    try:
        after = from_text(cursor).decode() if cursor else None
    except ValueError as error:
        raise Invalid("This cursor is not one of ours: start again without it.") from error
    return PageRequest(after, limit)


def make_page(found: Sequence[Item], wanted: PageRequest, key: Callable[[Item], str]) -> Page[Item]:
    """Cut a list fetched with `limit + 1` items into a page."""
    items = found[: wanted.limit]
    more = len(found) > wanted.limit
    return Page(items, to_text(key(items[-1]).encode()) if more else None)
