"""Finds lines of text (PP-OCRv4's detector with DB post-processing, Liao et al., AAAI 2020)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.plates.detector import Floats, Image, ordered
from doorward.vision.sessions import session

INK, SURE = 0.3, 0.5
GROWTH = 1.6
MOST_LINES = 20
_LEAST_CORE = 3


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """One line: its corners, float32 (4, 2) clockwise from upper left, and how sure, 0 to 1."""

    corners: Floats
    confidence: float

    @property
    def height(self) -> float:
        """Pixels, along the left edge."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))

    @property
    def width(self) -> float:
        """Pixels, along the upper edge."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))


def find_lines(image: Image) -> list[TextLine]:
    """Lines of text in a BGR image (uint8), tallest first; sides are rounded to multiples of 32 px."""
    rows, columns = image.shape[:2]
    width, height = (max(32, round(side / 32) * 32) for side in (columns, rows))
    small = cv2.resize(image, (width, height)).astype(np.float32) / 127.5 - 1
    engine = session("text_detector.onnx")
    blob = np.ascontiguousarray(small.transpose(2, 0, 1)[None])
    ink = engine.run(None, {engine.get_inputs()[0].name: blob})[0][0, 0]
    back = np.array([columns / width, rows / height], np.float32)
    outlines, _ = cv2.findContours((ink > INK).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_LINES]
    found = [line for outline in largest if (line := _line(ink, np.asarray(outline), back)) is not None]
    return sorted(found, key=lambda one: -one.height)


def joined(lines: list[TextLine]) -> TextLine:
    """Neighbours on one row as one line: emblems and stickers split plates in two."""
    first = max(lines, key=lambda one: one.width)
    origin = first.corners[0]
    right = (first.corners[1] - origin) / max(first.width, 1.0)
    down = np.array([-right[1], right[0]], np.float32)
    turned = np.concatenate([(one.corners - origin) @ np.stack([right, down], 1) for one in lines])
    (left, top), (end, bottom) = turned.min(0), turned.max(0)
    corners = [
        left * right + top * down,
        end * right + top * down,
        end * right + bottom * down,
        left * right + bottom * down,
    ]
    return TextLine(np.asarray(origin + np.array(corners), np.float32), min(one.confidence for one in lines))


def _line(ink: Floats, outline: NDArray[np.int32], back: Floats) -> TextLine | None:
    (x, y), (width, height), turn = cv2.minAreaRect(outline)
    if min(width, height) < _LEAST_CORE:
        return None
    mask = np.zeros(ink.shape, np.uint8)
    cv2.fillPoly(mask, [outline], (1,))
    confidence = float(cv2.mean(ink, mask)[0])
    if confidence < SURE:
        return None
    # The model marks a shrunken core of each line; area over circumference says how far to grow it back.
    growth = GROWTH * width * height / (2 * (width + height))
    grown = cv2.boxPoints(((x, y), (width + 2 * growth, height + 2 * growth), turn))
    return TextLine(ordered(np.asarray(grown, np.float32) * back), confidence)
