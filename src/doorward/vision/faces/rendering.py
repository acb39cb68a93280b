"""Draws made-up people, so that demonstrations and tests need no real ones.

The recogniser takes these drawings for faces, but they resemble each other more than people do: they show
that the path works, and say nothing about how well real people are told apart.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Layer = NDArray[np.float32]
Colour = tuple[float, float, float]
Place = tuple[float, float]
Part = tuple[slice, slice]

_FINER = 2  # drawn at twice the size, then halved: smooth edges
_WALL: Colour = (150, 160, 165)
_SKINS: tuple[Colour, ...] = ((150, 180, 225), (120, 160, 212), (85, 120, 180), (60, 85, 130), (45, 62, 98))
_HAIRS: tuple[Colour, ...] = ((20, 25, 35), (40, 60, 90), (60, 110, 160), (125, 125, 125), (30, 45, 120))
_IRISES: tuple[Colour, ...] = ((60, 40, 25), (90, 70, 40), (140, 105, 70), (50, 85, 75))
_NOISE = 3.0


@dataclass(frozen=True, slots=True)
class _Features:
    """What makes a drawn person this one; lengths in pixels of a 640x480 picture."""

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    half_width: float
    half_height: float
    jaw: float
    eyes_apart: float
    eye_line: float
    eye: tuple[float, float]
    brow: tuple[float, float, float]
    nose: tuple[float, float]
    mouth: tuple[float, float, float]
    fringe: tuple[float, float]
    long_hair: bool
    beard: bool
    glasses: bool


def render_person(person: int, *, moment: int = 0, size: tuple[int, int] = (640, 480)) -> Picture:
    """A BGR picture (height, width, 3) of a made-up person looking ahead.

    `person` decides the features, `moment` where they stand and how the light falls. `size` is
    (width, height), at least 320 x 240.
    """
    chance = np.random.default_rng([person, moment, 1])
    canvas = _Canvas(size, chance)
    features = _features(np.random.default_rng(person))
    _behind(canvas, features)
    _head(canvas, features)
    for side in (-1.0, 1.0):
        _eye(canvas, features, side)
    _nose(canvas, features)
    _mouth(canvas, features)
    _fringe(canvas, features)
    if features.glasses:
        _glasses(canvas, features)
    return canvas.taken(float(chance.normal(1, 0.04)))


def _features(chance: np.random.Generator) -> _Features:
    def between(low: float, high: float) -> float:
        return float(chance.uniform(low, high))

    def one_of(colours: tuple[Colour, ...]) -> Colour:
        return colours[int(chance.integers(len(colours)))]

    return _Features(
        skin=_shaded(one_of(_SKINS), between(0.94, 1.06)),
        hair=one_of(_HAIRS),
        iris=one_of(_IRISES),
        shirt=(between(30, 200), between(30, 200), between(30, 200)),
        half_width=between(80, 100),
        half_height=between(108, 130),
        jaw=between(0.68, 0.97),
        eyes_apart=between(31, 43),
        eye_line=between(-30, -12),
        eye=(between(13, 19), between(5.5, 9.5)),
        brow=(between(10, 17), between(8, 16), between(3, 8)),
        nose=(between(26, 40), between(12, 22)),
        mouth=(between(33, 46), between(22, 36), between(4, 9)),
        fringe=(between(-30, 30), between(16, 50)),
        long_hair=chance.random() < 0.4,
        beard=chance.random() < 0.25,
        glasses=chance.random() < 0.25,
    )


class _Canvas:
    """Soft shapes over one another, in coordinates around the middle of the face."""

    def __init__(self, size: tuple[int, int], chance: np.random.Generator) -> None:
        self._size, self._chance = size, chance
        self._unit = _FINER * min(size[0] / 640, size[1] / 480) * float(chance.normal(1, 0.03))
        self._middle = (
            _FINER * (size[0] / 2 + float(chance.normal(0, 8))),
            _FINER * (size[1] / 2 + float(chance.normal(0, 5))),
        )
        self.pixels = np.full((_FINER * size[1], _FINER * size[0], 3), _WALL, np.float32)

    def ellipse(self, at: Place, axes: Place, colour: Colour, *, share: float = 1, soft: float = 0.5) -> None:
        """A filled ellipse, mixed in with this share, its rim this soft."""
        part, middle = self._part(at, max(axes) + 3 * soft)
        layer = np.zeros(self.pixels[part].shape[:2], np.float32)
        cv2.ellipse(layer, middle, self._lengths(axes), 0, 0, 360, 1, -1, cv2.LINE_AA)
        self._mix(part, layer, colour, share=share, soft=soft)

    def arc(
        self, at: Place, axes: Place, ends: tuple[int, int], width: float, colour: Colour, *, tilt: float = 0
    ) -> None:
        """Part of an ellipse's rim, from one angle to another in degrees, as a stroke."""
        part, middle = self._part(at, max(axes) + width + 3)
        layer = np.zeros(self.pixels[part].shape[:2], np.float32)
        stroke = max(1, round(width * self._unit))
        cv2.ellipse(layer, middle, self._lengths(axes), tilt, *ends, 1, stroke, cv2.LINE_AA)
        self._mix(part, layer, colour, share=0.85, soft=0.8)

    def polygon(self, points: NDArray[np.float64]) -> Layer:
        """A mask of a filled polygon, as large as the picture."""
        layer = np.zeros(self.pixels.shape[:2], np.float32)
        placed = np.array([self._point((x, y)) for x, y in points], np.int32)
        cv2.fillPoly(layer, [placed], 1, cv2.LINE_AA)
        return layer

    def paint(self, mask: Layer, colour: Colour | Layer, *, share: float = 1, soft: float = 0) -> None:
        """A colour, or a picture, where the mask is."""
        self._mix((slice(None), slice(None)), mask, colour, share=share, soft=soft)

    def _mix(
        self, part: Part, layer: Layer, colour: Colour | Layer, *, share: float = 1, soft: float = 0
    ) -> None:
        if soft:
            layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), soft * self._unit), np.float32)
        covered = (share * layer)[..., None]
        under = self.pixels[part]
        self.pixels[part] = under + (np.asarray(colour, np.float32) - under) * covered

    def _part(self, at: Place, reach: float) -> tuple[Part, tuple[int, int]]:
        """The part of the picture within reach of a place, and where in it that place lies."""
        x, y = self._point(at)
        far = round(reach * self._unit) + 2
        left, top = max(0, x - far), max(0, y - far)
        return (slice(top, max(top + 1, y + far)), slice(left, max(left + 1, x + far))), (x - left, y - top)

    def around(self, width: float, height: float) -> tuple[Layer, Layer]:
        """Each pixel's place as a share of these half axes."""
        rows, columns = np.mgrid[0 : self.pixels.shape[0], 0 : self.pixels.shape[1]].astype(np.float32)
        across = (columns - self._middle[0]) / (width * self._unit)
        down = (rows - self._middle[1]) / (height * self._unit)
        return across, down

    def taken(self, light: float) -> Picture:
        """The finished picture as a camera would take it."""
        small = cv2.resize(self.pixels * light, self._size, interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(small, (0, 0), 0.6)
        grainy = blurred + self._chance.normal(0, _NOISE, blurred.shape)
        return np.asarray(np.clip(grainy, 0, 255), np.uint8)

    def _point(self, at: Place) -> tuple[int, int]:
        x, y = (round(m + a * self._unit) for m, a in zip(self._middle, at, strict=True))
        return x, y

    def _lengths(self, axes: Place) -> tuple[int, int]:
        first, second = (max(1, round(length * self._unit)) for length in axes)
        return first, second


def _behind(canvas: _Canvas, person: _Features) -> None:
    """Hair behind the head, neck and shoulders."""
    if person.long_hair:
        canvas.ellipse((0, 40), (person.half_width * 1.2, person.half_height * 1.25), person.hair)
    canvas.ellipse((0, -12), (person.half_width * 1.1, person.half_height * 1.1), person.hair)
    canvas.ellipse((0, 150), (42, 90), _shaded(person.skin, 0.82))
    canvas.ellipse((0, 275), (190, 105), person.shirt)


def _head(canvas: _Canvas, person: _Features) -> None:
    angles = np.linspace(0, 2 * np.pi, 160)
    down = np.sin(angles)
    narrowing = np.where(down > 0, 1 - (1 - person.jaw) * down**2, 1)
    outline = np.stack([person.half_width * np.cos(angles) * narrowing, person.half_height * down], axis=1)
    x, y = canvas.around(person.half_width, person.half_height)
    towards = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    light = 0.62 + 0.38 * np.clip(0.8 * towards - 0.25 * x - 0.3 * y, 0, 1)
    head = canvas.polygon(outline)
    canvas.paint(head, light[..., None] * np.asarray(person.skin, np.float32))
    if person.beard:
        canvas.paint(head * np.clip(3 * y - 0.9, 0, 1), person.hair, share=0.75, soft=2)


def _eye(canvas: _Canvas, person: _Features, side: float) -> None:
    at = (side * person.eyes_apart, person.eye_line)
    wide, high = person.eye
    canvas.ellipse(at, (1.6 * wide, 2.2 * high), _shaded(person.skin, 0.55), share=0.5, soft=5)
    canvas.ellipse(at, (wide, high), (225, 228, 232))
    canvas.ellipse(at, (0.95 * high, 0.95 * high), person.iris)
    canvas.ellipse(at, (0.45 * high, 0.45 * high), (10, 10, 10))
    canvas.ellipse((at[0] + 2, at[1] - 2), (1.6, 1.6), (255, 255, 255), share=0.9, soft=0.2)
    canvas.arc(at, (wide + 1, high + 1.5), (190, 350), 2.4, (25, 20, 20))
    above, bend, thick = person.brow
    canvas.arc((at[0], at[1] - above + 6), (1.35 * wide, bend), (200, 340), thick, person.hair, tilt=5 * side)


def _nose(canvas: _Canvas, person: _Features) -> None:
    long, wide = person.nose
    tip = person.eye_line + long
    canvas.ellipse((-7, tip - 0.4 * long), (4, 0.6 * long), _shaded(person.skin, 0.7), share=0.35, soft=4)
    canvas.ellipse((2, tip - 0.3 * long), (4, 0.6 * long), _shaded(person.skin, 1.12), share=0.5, soft=4)
    canvas.ellipse((0, tip + 8), (wide, 9), _shaded(person.skin, 0.78), share=0.5, soft=4)
    for side in (-1.0, 1.0):
        canvas.ellipse((0.55 * side * wide, tip + 13), (4, 2.6), (45, 25, 25), share=0.8, soft=1)


def _mouth(canvas: _Canvas, person: _Features) -> None:
    below, wide, full = person.mouth
    at = person.eye_line + person.nose[0] + below
    lip = (57 + 0.35 * person.skin[0], 54 + 0.35 * person.skin[1], 108 + 0.35 * person.skin[2])
    canvas.ellipse((0, at - 3), (wide, 0.8 * full), _shaded(lip, 0.9), share=0.85, soft=1.5)
    canvas.ellipse((0, at + 5), (0.85 * wide, full), lip, share=0.85, soft=1.5)
    canvas.arc((0, at - 2), (wide, 3), (0, 180), 1.6, (60, 25, 30))
    canvas.ellipse((0, at + 18), (20, 4), _shaded(person.skin, 0.75), share=0.4, soft=4)


def _fringe(canvas: _Canvas, person: _Features) -> None:
    aside, deep = person.fringe
    canvas.ellipse((aside, -0.86 * person.half_height), (0.95 * person.half_width, deep), person.hair, soft=2)


def _glasses(canvas: _Canvas, person: _Features) -> None:
    for side in (-1.0, 1.0):
        rim = (1.5 * person.eye[0], 1.2 * person.eye[0])
        canvas.arc((side * person.eyes_apart, person.eye_line + 2), rim, (0, 360), 2.5, (20, 20, 20))
    canvas.arc((0, person.eye_line), (8, 3), (180, 360), 2.5, (20, 20, 20))


def _shaded(colour: Colour, share: float) -> Colour:
    blue, green, red = (min(255.0, part * share) for part in colour)
    return blue, green, red
