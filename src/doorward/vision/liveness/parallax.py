"""Does the nose move against the rest of the face as on a head, or with it as on a picture?"""

import cv2
import numpy as np
from numpy.typing import NDArray

_NOSE = 2
_FRAME = (0, 1, 3, 4)


def nose_parallax(reference: NDArray[np.float32], landmarks: NDArray[np.float32]) -> float:
    """How far the nose tip left the plane of eyes and mouth, in eye distances, positive to the person's left.

    However a flat picture is turned, tilted or moved, a homography carries its four frame points (eyes and
    mouth corners) and its nose alike; so the four predict where a printed nose must be. What is left over is
    depth. NaN when the points do not span a face.
    """
    before, after = reference[_FRAME, :].astype(np.float32), landmarks[_FRAME, :].astype(np.float32)
    if not (_spans_a_face(before) and _spans_a_face(after)):
        return float("nan")
    carried = cv2.perspectiveTransform(
        reference[None, _NOSE : _NOSE + 1].astype(np.float32), cv2.getPerspectiveTransform(before, after)
    )[0, 0]
    across = after[1] - after[0]
    moved = float(np.dot(landmarks[_NOSE] - carried, across / np.hypot(*across)))
    return moved / (_height(after) / _height(before) * float(np.hypot(*(before[1] - before[0]))))


def narrowing(reference: NDArray[np.float32], landmarks: NDArray[np.float32], yaw_degrees: float) -> float:
    """How wide the face is against how wide a head turned by `yaw_degrees` would be; 1 is a head.

    A picture must be turned much further than a head before its nose seems to leave the middle, and so gets
    far narrower than the angle it pretends. NaN when the points do not span a face.
    """
    before, after = reference[_FRAME, :].astype(np.float32), landmarks[_FRAME, :].astype(np.float32)
    if not (_spans_a_face(before) and _spans_a_face(after)):
        return float("nan")
    shape = (_width(after) / _height(after)) / (_width(before) / _height(before))
    return shape / max(float(np.cos(np.radians(yaw_degrees))), 0.1)


def _width(corners: NDArray[np.float32]) -> float:
    """The mean of the eyes' distance and the mouth's width."""
    return float(np.hypot(*(corners[1] - corners[0])) + np.hypot(*(corners[3] - corners[2]))) / 2


def _height(corners: NDArray[np.float32]) -> float:
    """From the middle of the eyes to the middle of the mouth: a turn of the head leaves it as it is."""
    return float(np.hypot(*((corners[2] + corners[3]) / 2 - (corners[0] + corners[1]) / 2)))


def _spans_a_face(corners: NDArray[np.float32]) -> bool:
    """Whether eyes and mouth corners form a convex quadrilateral of some size, in the right order."""
    ring = corners[[0, 1, 3, 2]].astype(np.float64)
    edges = np.roll(ring, -1, axis=0) - ring
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    return bool(np.isfinite(turns).all() and (turns > 4.0).all())
