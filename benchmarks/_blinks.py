"""Made-up blinks, and what somebody might do to a photo instead: each as the frames a camera would see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks._presentations import (
    Fill,
    Image,
    Points,
    as_bright,
    eyes_shut,
    held,
    laid_over,
    strip,
)
from doorward.vision.liveness.lids import mesh

Draw = Callable[[float], Image]
# Each eye's upper and lower edge, corner to corner, by the mesh's numbers.
_EDGES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
SHUT, HALF, CLOSED = [0.5, 1, 1, 1, 0.5], [0.25, 0.5, 0.5, 0.5, 0.25], [1.0, 1, 1]
WHITE = (235, 235, 235)


@dataclass(frozen=True)
class Shown:
    """A photo and its landmarks; `shut` is a photo of somebody else with shut eyes, and its landmarks."""

    photo: Image
    landmarks: NDArray[np.float32]
    shut: tuple[Image, NDArray[np.float32]]


def outlines(photo: Image, landmarks: NDArray[np.float32]) -> list[tuple[Points, Points]]:
    """Where the mesh sees each eye's upper and lower edge."""
    seen = mesh(photo, landmarks)
    assert seen is not None, "the face is too small"
    return [(seen[0][list(upper)], seen[0][list(lower)]) for upper, lower in _EDGES]


def _lids(one: Shown) -> Draw:
    edges = outlines(one.photo, one.landmarks)
    return lambda share: eyes_shut(one.photo, edges, share)


def _plain(one: Shown, fill: Fill, half: float) -> Draw:
    return lambda _: strip(one.photo, one.landmarks, fill, half, half)


def _sliding(one: Shown, fill: Fill) -> Draw:
    """Comes down like a lid: at 0 its edge is above the eyes, at 1 below them."""
    return lambda share: strip(one.photo, one.landmarks, fill, 0.35, 0.22 * share - 0.1)


def _skin(one: Shown) -> tuple[int, int, int]:
    """The colour of the nose."""
    across, down = np.round(one.landmarks[2]).astype(int)
    patch = one.photo[down - 6 : down + 7, across - 6 : across + 7]
    blue, green, red = (round(float(channel)) for channel in np.median(patch, axis=(0, 1)))
    return blue, green, red


def _smooth(one: Shown) -> Image:
    """The photo with skin in place of the eyes and no lashes."""
    return eyes_shut(one.photo, outlines(one.photo, one.landmarks), 1.0, lash=0.0)


def _printed(one: Shown) -> Image:
    """Somebody else's shut eyes over these, as bright as the skin around."""
    place = strip(np.zeros_like(one.photo), one.landmarks, (255, 255, 255), 0.2, 0.25)[..., 0] > 0
    return as_bright(laid_over(one.photo, one.landmarks, *one.shut), one.photo, place)


# Photos of Labeled Faces in the Wild on which we see shut eyes, by the start of their SHA-256. They were
# looked for among the 205 that one of five measures of lids (the mesh among them) found least open.
SHUT_PHOTOS = (
    *("aff2b0b1", "3051e2bf", "2aeacc33", "39aaf5af", "a3154d44", "2843fda5", "e7c9f65f", "f21e527c"),
    *("97b37e56", "a19a66b6", "a5193f94", "f4671d0f", "5b3312b5", "f86fb0ef", "5051da0f"),
)

CASES: dict[str, tuple[Callable[[Shown], Draw], list[float]]] = {
    "lids drawn shut for 0.3 s": (_lids, SHUT),
    "lids drawn half shut for 0.3 s": (_lids, HALF),
    "skin-coloured strip, a quarter eye distance tall": (lambda one: _plain(one, _skin(one), 0.125), CLOSED),
    "skin-coloured strip, 0.4 tall": (lambda one: _plain(one, _skin(one), 0.2), CLOSED),
    "white strip, a quarter tall": (lambda one: _plain(one, WHITE, 0.125), CLOSED),
    "white strip, 0.4 tall": (lambda one: _plain(one, WHITE, 0.2), CLOSED),
    "skin-coloured strip sliding down like a lid, past the eyes": (
        lambda one: _sliding(one, _skin(one)),
        SHUT,
    ),
    "the same, to three quarters": (lambda one: _sliding(one, _skin(one)), [0.4, 0.75, 0.75, 0.75, 0.4]),
    "the same, to half": (lambda one: _sliding(one, _skin(one)), [0.25, 0.5, 0.5, 0.5, 0.25]),
    "strip with the face's own skin, no eyes on it": (lambda one: _plain(one, _smooth(one), 0.2), CLOSED),
    "strip with somebody else's shut eyes": (lambda one: _plain(one, _printed(one), 0.2), CLOSED),
    "strip with the face's own eyes, drawn shut": (
        lambda one: _plain(one, _lids(one)(1.0), 0.2),
        CLOSED,
    ),
}


def blinking(one: Shown, name: str, chance: np.random.Generator) -> Iterator[Image]:
    """The frames of a case: a second with the eyes open, then the case, then open again."""
    make, course = CASES[name]
    draw = make(one)
    drawn = {share: draw(share) if share else one.photo for share in {0.0, *course}}
    for share in [*[0.0] * 10, *course, *[0.0] * 6]:
        yield held(drawn[share], chance)
