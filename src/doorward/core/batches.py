"""Long lists a part at a time: no statement and no message takes any number of them."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_batches(items: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    """The items in order, at most so many together."""
    return (items[start : start + most] for start in range(0, len(items), most))
