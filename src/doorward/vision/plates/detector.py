"""Finds plates with their four corners; behind a port, so that a detector of cleaner origin can take over."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import Box
from doorward.vision.sessions import session

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]

LONGEST_SIDE = 1000
LEAST_SIDE = 16
MEAN_BGR = (104.0, 117.0, 123.0)
STRIDES = ((8, (24, 48)), (16, (96, 192)), (32, (384, 768)))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
OVERLAP = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class PlateDetection:
    """A plate's box, corners (float32 (4, 2), clockwise from upper left) and confidence, 0 to 1."""

    box: Box
    corners: Floats | None
    confidence: float


class PlateDetector(Protocol):
    """Finds plates in a BGR image scaled down to a longest side (pixels), surest first."""

    def __call__(
        self, image: Image, *, least_confidence: float, longest_side: int
    ) -> list[PlateDetection]: ...


def detect_with_corners(
    image: Image, *, least_confidence: float = 0.5, longest_side: int = LONGEST_SIDE
) -> list[PlateDetection]:
    """Plates by the corner detector (RetinaFace-like priors, four landmarks)."""
    height, width = image.shape[:2]
    scale = min(1.0, longest_side / max(height, width, 1))
    columns, rows = round(width * scale), round(height * scale)
    if min(rows, columns) < LEAST_SIDE:
        return []
    small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA) if scale < 1 else image
    blob = (small.astype(np.float32) - np.array(MEAN_BGR, np.float32)).transpose(2, 0, 1)[None]
    found = session("plates_cn_detector.onnx").run(None, {"image": np.ascontiguousarray(blob)})
    offsets, confidences, corners = (part[0] for part in found)
    sure = confidences[:, 1] > least_confidence
    if not sure.any():
        return []
    priors = _priors(rows, columns)[sure]
    boxes = _boxes(priors, offsets[sure]) * np.array([columns, rows, columns, rows], np.float32) / scale
    quads = _corners(priors, corners[sure]) * np.array([columns, rows] * 4, np.float32) / scale
    return _best(boxes, quads, confidences[sure, 1], least_confidence)


def ordered(corners: Floats) -> Floats:
    """Corners clockwise from the upper left."""
    total, difference = corners.sum(1), corners[:, 0] - corners[:, 1]
    places = [total.argmin(), difference.argmax(), total.argmax(), difference.argmin()]
    return np.asarray(corners[places], np.float32)


def _best(boxes: Floats, quads: Floats, scores: Floats, least: float) -> list[PlateDetection]:
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), least, OVERLAP)
    places = np.array(kept).flatten().astype(int)
    found = [
        PlateDetection(
            Box(*(float(value) for value in boxes[place])),
            ordered(quads[place].reshape(4, 2)),
            float(scores[place]),
        )
        for place in places
    ]
    return sorted(found, key=lambda one: -one.confidence)


def _boxes(priors: Floats, offsets: Floats) -> Floats:
    centres = priors[:, :2] + offsets[:, :2] * CENTRE_VARIANCE * priors[:, 2:]
    sizes = priors[:, 2:] * np.exp(offsets[:, 2:] * SIZE_VARIANCE)
    return np.concatenate([centres - sizes / 2, sizes], 1).astype(np.float32)


def _corners(priors: Floats, offsets: Floats) -> Floats:
    parts = [
        priors[:, :2] + offsets[:, 2 * n : 2 * n + 2] * CENTRE_VARIANCE * priors[:, 2:] for n in range(4)
    ]
    return np.concatenate(parts, 1).astype(np.float32)


@lru_cache(maxsize=16)
def _priors(rows: int, columns: int) -> Floats:
    levels = []
    for stride, sizes in STRIDES:
        down, across = np.mgrid[: -(-rows // stride), : -(-columns // stride)]
        x, y = (across + 0.5) * stride / columns, (down + 0.5) * stride / rows
        anchors = [
            np.stack([x, y, np.full_like(x, s / columns), np.full_like(y, s / rows)], -1) for s in sizes
        ]
        levels.append(np.stack(anchors, 2).reshape(-1, 4))
    return np.concatenate(levels).astype(np.float32)
