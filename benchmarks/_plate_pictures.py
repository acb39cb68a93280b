"""Pictures of plates with what is written on them."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.plates import normalise

Picture = NDArray[np.uint8]


def labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each picture with its plate: from the .txt beside it, else from the end of its name."""
    for place in sorted(folder.glob("*.jpg")):
        beside = place.with_suffix(".txt")
        if beside.is_file():
            yield place, normalise(beside.read_text(encoding="utf8").split("\n")[0].split()[-1])
        else:
            yield place, normalise(place.stem.rsplit("_", 1)[-1])


def opened(place: Path) -> Picture:
    """Read as bytes first, for OpenCV does not open every name."""
    image = cv2.imdecode(np.frombuffer(place.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{place} is no picture.")
    return np.asarray(image, np.uint8)
