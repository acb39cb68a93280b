"""Finds faces: YuNet run by ONNX Runtime, its answers decoded here."""

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision.model import Box, FaceDetection
from doorward.vision.sessions import session

_STRIDES = (8, 16, 32)
_CELL = 32
_OUTPUTS = [f"{kind}_{stride}" for stride in _STRIDES for kind in ("cls", "obj", "bbox", "kps")]
LONGEST_SIDE = 640
SURE_ENOUGH = 0.6
_SAME_FACE = 0.3


def detect(
    image: NDArray[np.uint8], *, longest_side: int = LONGEST_SIDE, confidence: float = SURE_ENOUGH
) -> list[FaceDetection]:
    """Every face in a BGR image (uint8, height x width x 3), largest first, in that image's pixels.

    An image whose longest side exceeds `longest_side` is searched scaled down to it: faster, and a face that
    fills the picture is found more surely. `Invalid` when the array is no such image.
    """
    check_image(image)
    height, width = image.shape[:2]
    scale = min(1.0, longest_side / max(height, width))
    searched = image
    if scale < 1.0:
        # A picture of 5000 x 20 still has a row of pixels left.
        size = max(1, round(width * scale)), max(1, round(height * scale))
        searched = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    found = _search(searched, confidence)
    ratio = np.array([width / searched.shape[1], height / searched.shape[0]], np.float32)
    faces = [_detection(row, ratio) for row in found]
    return sorted(faces, key=lambda face: face.box.area, reverse=True)


def check_image(image: NDArray[np.uint8]) -> None:
    """`Invalid` unless this is a non-empty colour image of bytes."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise Invalid("A picture must be in colour, with three channels of 8 bits.")
    if not image.size:
        raise Invalid("The picture is empty.")


def _search(image: NDArray[np.uint8], confidence: float) -> NDArray[np.float32]:
    """Rows of x, y, width, height, ten landmark coordinates and confidence, overlapping ones thinned out."""
    height, width = image.shape[:2]
    below, beside = -height % _CELL, -width % _CELL
    if below or beside:
        image = np.asarray(cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_CONSTANT), np.uint8)
    picture = np.ascontiguousarray(image)
    answers = session("face_detector.onnx").run(_OUTPUTS, {"picture": picture})
    columns = image.shape[1]
    levels = [
        _decoded(answers[4 * level : 4 * level + 4], stride, columns // stride, confidence)
        for level, stride in enumerate(_STRIDES)
    ]
    rows = np.concatenate(levels)
    return rows[_distinct(rows)] if len(rows) > 1 else rows


def _decoded(
    answers: list[NDArray[np.float32]], stride: int, columns: int, confidence: float
) -> NDArray[np.float32]:
    faceness, objectness, boxes, points = (answer[0] for answer in answers)
    # Both lie between 0 and 1, so only cells where both are sure enough squared can reach the confidence.
    likely = np.nonzero((faceness[:, 0] >= confidence**2) & (objectness[:, 0] >= confidence**2))[0]
    scores = np.sqrt(np.clip(faceness[likely, 0], 0, 1) * np.clip(objectness[likely, 0], 0, 1))
    sure, scores = likely[scores >= confidence], scores[scores >= confidence]
    if not len(sure):
        return np.zeros((0, 15), np.float32)
    cells = np.stack([sure % columns, sure // columns], 1).astype(np.float32)
    centres, sizes = (cells + boxes[sure, :2]) * stride, np.exp(boxes[sure, 2:]) * stride
    landmarks = (points[sure].reshape(-1, 5, 2) + cells[:, None]) * stride
    parts = [centres - sizes / 2, sizes, landmarks.reshape(-1, 10), scores[:, None]]
    return np.concatenate(parts, axis=1, dtype=np.float32)


def _distinct(rows: NDArray[np.float32]) -> NDArray[np.intp]:
    """The best row of each face: non-maximum suppression."""
    order = np.argsort(-rows[:, 14], kind="stable")
    corners, ends = rows[:, :2], rows[:, :2] + rows[:, 2:4]
    areas = rows[:, 2] * rows[:, 3]
    kept: list[np.intp] = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        sides = np.clip(
            np.minimum(ends[best], ends[rest]) - np.maximum(corners[best], corners[rest]), 0, None
        )
        shared = sides[:, 0] * sides[:, 1]
        order = rest[shared <= _SAME_FACE * (areas[best] + areas[rest] - shared)]
    return np.array(kept, np.intp)


def _detection(row: NDArray[np.float32], ratio: NDArray[np.float32]) -> FaceDetection:
    x, y, width, height = (row[:4].reshape(2, 2) * ratio).reshape(-1).tolist()
    return FaceDetection(Box(x, y, width, height), row[4:14].reshape(5, 2) * ratio, float(row[14]))
