"""Photos as a source: one, or a folder of them by name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from doorward.core.errors import Invalid, NotFound
from doorward.vision.decoding import load_image
from doorward.vision.sources.frame import Frame, Pixels, SourceStatistics
from doorward.vision.sources.spec import IMAGE_SUFFIXES


class Stills:
    """A finite source of photos; in a folder, damaged or vanished ones are counted and passed over."""

    def __init__(
        self, paths: Sequence[Path], rate: float | None, longest_side: int, *, one_by_name: bool
    ) -> None:
        self._paths = iter(paths)
        self._seconds_between = 1.0 / rate if rate else 1.0
        self._longest_side = longest_side
        self._one_by_name = one_by_name
        self._index = 0
        self._statistics = SourceStatistics()

    @property
    def statistics(self) -> SourceStatistics:
        """The counts so far."""
        return self._statistics

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __next__(self) -> Frame:
        for path in self._paths:
            index, self._index = self._index, self._index + 1
            try:
                image = load_image(path)
            except (Invalid, NotFound):
                self._count(unreadable=1)
                if self._one_by_name:
                    raise
                continue
            self._count(decoded=1, delivered=1)
            return Frame(shrink(image, self._longest_side), index * self._seconds_between, index, True)
        raise StopIteration

    def close(self) -> None:
        """Yield no more."""
        self._paths = iter(())

    def _count(self, **by: int) -> None:
        was = self._statistics
        self._statistics = replace(was, **{name: getattr(was, name) + more for name, more in by.items()})


def images_in(folder: Path) -> list[Path]:
    """The images of a folder by name, hidden ones left out; `Invalid` if there are none."""
    try:
        found = sorted(path for path in folder.iterdir() if _is_image(path))
    except OSError:
        raise Invalid("The folder cannot be read: check that you may read it.") from None
    if not found:
        raise Invalid("The folder holds no images: put JPEG, PNG or WebP files there.")
    return found


def shrink(image: Pixels, longest_side: int) -> Pixels:
    """The image with its longest side at most `longest_side` pixels."""
    height, width = image.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1.0:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
