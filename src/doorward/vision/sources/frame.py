"""What every source yields and counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: BGR pixels, seconds since the source began, its number, and whether it is a photo."""

    image: Pixels
    at_seconds: float
    index: int
    is_still: bool


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What became of a source's frames; those neither delivered nor dropped the chosen rate passed over.

    `dropped` were due but the consumer (or the decoder) was too slow; `unreadable` were damaged;
    `reconnects` counts how often a live source had to be opened again.
    """

    decoded: int = 0
    delivered: int = 0
    dropped: int = 0
    unreadable: int = 0
    reconnects: int = 0


class Source(Protocol):
    """An iterator of frames that counts them and can be closed at any time from any thread."""

    @property
    def statistics(self) -> SourceStatistics:
        """The counts so far."""

    def __iter__(self) -> Iterator[Frame]: ...
    def __next__(self) -> Frame: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *problem: object) -> None: ...
    def close(self) -> None:
        """Stop and free everything; iteration ends."""
