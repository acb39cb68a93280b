"""Finds lines of text (PP-OCRv4's detector with DB post-processing, Liao et al., AAAI 2020)."""

from dataclasses import dataclass

import cv2
import numpy as np

from doorward.vision.plates.detector import Floats, Image, ordered
from doorward.vision.sessions import session

LONGEST_SIDE = 960
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
INK, SURE = 0.3, 0.5
GROWTH = 1.6
MOST_LINES = 40


@dataclass(frozen=True, slots=True, eq=False)
class TextLine:
    """One line: its corners, float32 (4, 2) clockwise from upper left, and how sure, 0 to 1."""

    corners: Floats
    confidence: float


def find_lines(image: Image, *, longest_side: int = LONGEST_SIDE) -> list[TextLine]:
    """Lines of text in a BGR image, widest first."""
    rows, columns = image.shape[:2]
    if min(rows, columns) < 8:
        return []
    scale = longest_side / max(rows, columns)
    width, height = (max(32, round(side * scale / 32) * 32) for side in (columns, rows))
    small = cv2.resize(image, (width, height)).astype(np.float32) / 255
    blob = ((small - MEAN) / SPREAD).transpose(2, 0, 1)[None]
    engine = session("text_detector.onnx")
    ink = engine.run(None, {engine.get_inputs()[0].name: np.ascontiguousarray(blob, np.float32)})[0][0, 0]
    back = np.array([columns / width, rows / height], np.float32)
    return _lines(ink, back)


def _lines(ink: Floats, back: Floats) -> list[TextLine]:
    outlines, _ = cv2.findContours((ink > INK).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    largest = sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_LINES]
    found = [line for outline in largest if (line := _line(ink, outline, back)) is not None]
    return sorted(found, key=lambda one: -_width(one.corners))


def _line(ink: Floats, outline: np.ndarray, back: Floats) -> TextLine | None:
    (x, y), (width, height), turn = cv2.minAreaRect(outline)
    if min(width, height) < 3:
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


def _width(corners: Floats) -> float:
    return float(np.linalg.norm(corners[1] - corners[0]))
