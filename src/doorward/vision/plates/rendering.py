"""Draws made-up cars with made-up plates, so that demonstrations and tests need no real ones."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from doorward.vision.plates.model import Region

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_STRIP: dict[Region, tuple[str, Colour]] = {
    Region.BR: ("BRASIL", (20, 50, 140)),
    Region.EU: ("", (20, 50, 140)),
    Region.US: ("Made-up State", (60, 90, 150)),
    Region.LATIN: ("", (90, 90, 90)),
}
_BODIES: tuple[Colour, ...] = (
    (150, 30, 30),
    (40, 60, 110),
    (90, 95, 100),
    (205, 205, 200),
    (35, 38, 42),
    (60, 90, 70),
)
_PLATE = (400, 130)
_AMERICAN = (400, 200)
_MOTORCYCLE = (400, 340)
_UPPER_ROW = 3
_INK: Colour = (25, 25, 25)
_BLUR = 0.6
_NOISE = 4.0


@dataclass(frozen=True, slots=True)
class _View:
    """How large the car stands in the picture (plate's share of the width), where, how oblique; its rows."""

    share: float
    centre: tuple[float, float]
    lean: float
    rows: int = 1


def render_plate_scene(
    text: str, region: Region, *, seed: int, size: tuple[int, int] = (960, 540), rows: int = 1
) -> NDArray[np.uint8]:
    """A BGR picture (height, width, 3) of a made-up car's rear with this plate; the seed decides the rest.

    `size` is (width, height); with two `rows` it is a motorcycle's plate. The embedded font has no Chinese
    characters: `ValueError` for `Region.CN`.
    """
    chance = np.random.default_rng(seed)
    view = _View(
        share=float(chance.uniform(0.20, 0.30)),
        centre=(float(chance.uniform(0.42, 0.58)), float(chance.uniform(0.58, 0.68))),
        lean=float(chance.uniform(-3, 3)),
        rows=rows,
    )
    return _scene(text, region, view, seed=seed, size=size)


def approach(text: str, region: Region, *, seed: int, frames: int) -> Iterator[NDArray[np.uint8]]:
    """The same car coming nearer, picture by picture, as a gate's camera sees it."""
    chance = np.random.default_rng(seed)
    start, lean = float(chance.uniform(0.40, 0.60)), float(chance.uniform(-3, 3))
    for number in range(frames):
        near = number / max(frames - 1, 1)
        view = _View(0.14 + 0.16 * near, (start + (0.5 - start) * near, 0.50 + 0.16 * near), lean)
        yield _scene(text, region, view, seed=seed, size=(960, 540), grain=number)


def _scene(
    text: str, region: Region, view: _View, *, seed: int, size: tuple[int, int], grain: int = 0
) -> Picture:
    if region not in _STRIP:
        raise ValueError("The embedded font has no Chinese characters: choose another region.")
    chance = np.random.default_rng([seed, 1])
    picture = _street(chance, size)
    car = _car(_plate(text, region, view.rows), _BODIES[int(chance.integers(len(_BODIES)))])
    placed = _place(picture, car, view)
    light = float(chance.uniform(0.75, 1.1))
    noise = np.random.default_rng([seed, 2, grain]).normal(0, _NOISE, placed.shape)
    soft = cv2.GaussianBlur(placed, (0, 0), _BLUR).astype(np.float32)
    return np.asarray(np.clip(soft * light + noise, 0, 255), np.uint8)


def _street(chance: np.random.Generator, size: tuple[int, int]) -> Picture:
    width, height = size
    horizon = height * 2 // 5
    picture = np.empty((height, width, 3), np.uint8)
    picture[:horizon] = (200, 190, 175)
    picture[horizon:] = (95, 95, 95)
    for _ in range(6):
        left = int(chance.integers(0, width))
        tall = int(chance.integers(horizon // 4, horizon))
        grey = [int(part) for part in chance.integers(110, 190, 3)]
        cv2.rectangle(picture, (left, horizon - tall), (left + width // 6, horizon), grey, -1)
    return picture


def _plate(text: str, region: Region, rows: int) -> Image.Image:
    """The plate alone, characters over the whole width as stamped ones stand."""
    one_row = _AMERICAN if region is Region.US else _PLATE
    width, height = one_row if rows == 1 else _MOTORCYCLE
    country, colour = _STRIP[region]
    plate = Image.new("RGB", (width, height), (238, 238, 234))
    draw = ImageDraw.Draw(plate)
    band = one_row[1] // 4 if country else 0
    if country:
        draw.rectangle((0, 0, width, band), fill=colour)
        draw.text((width / 2, band / 2), country, font=ImageFont.load_default(22), fill="white", anchor="mm")
    elif region is Region.EU:
        draw.rectangle((0, 0, 30, height), fill=colour)
    left = 44 if region is Region.EU else 16
    parts = [text] if rows == 1 else [text[:_UPPER_ROW], text[_UPPER_ROW:]]
    tall = (height - band) / rows
    for number, part in enumerate(parts):
        indent = 0 if rows == 1 else round((4 - len(part)) * width / 9)
        top = band + number * tall
        _row(plate, part, (left + indent, round(top), width - 12 - indent, round(top + tall)))
    draw.rectangle((0, 0, width - 1, height - 1), outline=(60, 60, 60), width=3)
    return plate


def _row(plate: Image.Image, text: str, area: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = area
    step = (right - left) / len(text)
    for number, character in enumerate(text):
        # Digits are the narrower ones, or nothing would tell 0 from O.
        widest = (0.68 if character.isdigit() else 0.86) * step
        glyph = _glyph(character, widest=widest, height=(bottom - top) * 0.72)
        middle = (left + step * (number + 0.5), (top + bottom) / 2)
        plate.paste(_INK, (round(middle[0] - glyph.width / 2), round(middle[1] - glyph.height / 2)), glyph)


def _glyph(character: str, *, widest: float, height: float) -> Image.Image:
    """One character as a mask, squeezed where it would touch its neighbours: plate lettering is narrow."""
    drawn = Image.new("L", (240, 240), 0)
    draw = ImageDraw.Draw(drawn)
    draw.text((120, 120), character, font=ImageFont.load_default(140), fill=255, anchor="mm", stroke_width=3)
    if character == "I":
        _feet(draw, (120, 120), 140)
    cut = drawn.crop(drawn.getbbox())
    width = min(widest, cut.width * height / cut.height)
    return cut.resize((max(1, round(width)), round(height)), Image.Resampling.LANCZOS)


def _feet(draw: ImageDraw.ImageDraw, centre: tuple[float, float], size: float) -> None:
    """The bars that plate lettering gives its I, and the embedded font does not: it looks like 1."""
    for side in (-1, 1):
        middle = centre[1] + side * size * 0.32
        draw.rectangle((centre[0] - size * 0.18, middle - 7, centre[0] + size * 0.18, middle + 7), fill=255)


def _car(plate: Image.Image, body: Colour) -> Image.Image:
    """The rear of a car, four plates wide, the plate at its middle; see-through around it."""
    wide, high = _PLATE[0] * 4, _PLATE[0] * 3
    car = Image.new("RGBA", (wide, high), (0, 0, 0, 0))
    draw = ImageDraw.Draw(car)
    dark: Colour = (body[0] * 2 // 3, body[1] * 2 // 3, body[2] * 2 // 3)
    for left in (120, wide - 360):
        draw.rounded_rectangle((left, 960, left + 240, 1190), 50, fill=(20, 20, 20, 255))
    draw.polygon([(300, 30), (1300, 30), (1440, 400), (160, 400)], fill=body)
    draw.polygon([(360, 80), (1240, 80), (1350, 370), (250, 370)], fill=(45, 55, 65, 255))
    draw.rounded_rectangle((60, 380, 1540, 1080), 80, fill=body)
    draw.rounded_rectangle((40, 880, 1560, 1100), 60, fill=dark)
    for left in (80, 1270):
        draw.rounded_rectangle((left, 440, left + 250, 570), 40, fill=(170, 25, 30, 255))
    draw.rounded_rectangle((540, 610, 1060, 800), 24, fill=dark)
    car.paste(plate, ((wide - _PLATE[0]) // 2, 640))
    return car


def _place(picture: Picture, car: Image.Image, view: _View) -> Picture:
    height, width = picture.shape[:2]
    scale = view.share * width / _PLATE[0]
    turn = cv2.getRotationMatrix2D((car.width / 2, 640 + _PLATE[1] / 2), view.lean, scale)
    turn[:, 2] += np.array(
        [view.centre[0] * width - car.width / 2, view.centre[1] * height - 640 - _PLATE[1] / 2]
    )
    # Shrunk in one step the strokes would break up: soften by as much as is thrown away.
    source = np.array(car)[:, :, [2, 1, 0, 3]]
    soft = cv2.GaussianBlur(source, (0, 0), max(0.3, 0.4 / scale))
    layer = cv2.warpAffine(soft, turn, (width, height))
    cover = layer[:, :, 3:].astype(np.float32) / 255
    return np.asarray(picture * (1 - cover) + layer[:, :, :3] * cover, np.uint8)
