"""What an explanation consists of, before it becomes a page."""

import base64
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
_QUALITY = 88


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside the page, shown `width` pixels wide."""

    caption: str
    uri: str
    width: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure, its limits in words, and whether it holds (None: it has no limit)."""

    name: str
    value: str
    limits: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A probability (0 to 1) and what it is of."""

    label: str
    share: float

    @property
    def percent(self) -> str:
        """The probability as it is read out."""
        return f"{100 * self.share:.1f} %"


@dataclass(frozen=True, slots=True)
class Bars:
    """Probabilities that belong together."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One face or one plate: the verdict in plain words, then how it came about."""

    title: str
    verdict: str
    is_good: bool
    pictures: tuple[Picture, ...]
    figures: tuple[Figure, ...] = ()
    groups: tuple[Bars, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """One kind of recognition over the whole picture; `nothing` is said when it found no subject."""

    title: str
    nothing: str
    subjects: tuple[Subject, ...]


def picture(caption: str, image: Pixels, *, width: int | None = None, sharp: bool = False) -> Picture:
    """A picture (BGR) as part of the page; `sharp` keeps every pixel, for small crops."""
    kind, suffix, options = (
        ("png", ".png", []) if sharp else ("jpeg", ".jpg", [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    )
    _, encoded = cv2.imencode(suffix, image, options)
    data = base64.b64encode(np.asarray(encoded).tobytes()).decode()
    return Picture(caption, f"data:image/{kind};base64,{data}", width or image.shape[1])


def drawn_box(image: Pixels, corners: NDArray[Any], label: str, *, is_good: bool) -> None:
    """Draw a numbered outline into an image; green when it is good, orange when it is not."""
    colour = (80, 170, 40) if is_good else (30, 130, 240)
    thick = max(2, round(max(image.shape) / 400))
    points = np.round(np.asarray(corners)).astype(np.int32)
    cv2.polylines(image, [points.reshape(-1, 1, 2)], True, colour, thick, cv2.LINE_AA)
    scale = max(0.5, max(image.shape) / 1100)
    (wide, tall), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    left, top = int(points[:, 0].min()), max(int(points[:, 1].min()), tall + 8)
    cv2.rectangle(image, (left, top - tall - 8), (left + wide + 8, top), colour, -1)
    cv2.putText(
        image,
        label,
        (left + 4, top - 5),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        (255, 255, 255),
        thick,
        cv2.LINE_AA,
    )
