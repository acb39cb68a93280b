"""Measures how well a face can be recognised, and names what is wrong with it."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import FaceDetection, FaceProblem, FaceQuality

# Depth of the nose tip before the eyes' plane, over the distance between the eyes; a mean adult head.
_NOSE_DEPTH = 0.52
# The nose tip's way from the eyes' line to the mouth's, 0 to 1, on a face seen from the front.
_NOSE_DROP = 0.52
# The aligned face without hair and background.
_INNER = slice(20, 100)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a face must reach; figures of the same names in `FaceQuality`."""

    norm: float
    eye_distance_px: float
    yaw_degrees: float
    sharpness: float
    darkest: float
    brightest: float
    visible: float


AT_THE_DOOR = Limits(
    norm=10.0,
    eye_distance_px=16,
    yaw_degrees=45,
    sharpness=15,
    darkest=25,
    brightest=235,
    visible=0.75,
)
AT_ENROLMENT = Limits(
    norm=10.5,
    eye_distance_px=24,
    yaw_degrees=35,
    sharpness=25,
    darkest=40,
    brightest=225,
    visible=0.9,
)


def measure(
    detection: FaceDetection, aligned: NDArray[np.uint8], *, norm: float, width: int, height: int
) -> FaceQuality:
    """The figures of one face found in an image of that size, with the first problem at a door, if any."""
    inner = cv2.cvtColor(aligned[_INNER, _INNER], cv2.COLOR_BGR2GRAY)
    right_eye, left_eye = detection.landmarks[:2]
    figures = FaceQuality(
        norm=norm,
        eye_distance_px=float(np.hypot(*(left_eye - right_eye))),
        yaw_degrees=yaw_degrees(detection.landmarks),
        sharpness=float(cv2.Laplacian(inner, cv2.CV_32F).var()),
        brightness=float(inner.mean()),
        visible=_visible(detection, width, height),
        problem=None,
    )
    return with_limits(figures, AT_THE_DOOR)


def with_limits(figures: FaceQuality, limits: Limits) -> FaceQuality:
    """The same figures with the first problem that these limits see."""
    return replace(figures, problem=_first_problem(figures, limits))


def yaw_degrees(landmarks: NDArray[np.float32]) -> float:
    """How far the head is turned, from the nose tip's way off the middle; positive to the person's left.

    Weak perspective: an offset of the nose is its depth times the sine of the angle, the distance between the
    eyes shrinks by its cosine. Good to 8 degrees up to 40 (2 against a full pose fit on press photos).
    """
    right_eye, left_eye, nose, right_mouth, left_mouth = landmarks.astype(np.float64)
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across = left_eye - right_eye
    distance = float(np.hypot(*across))
    if not distance > 0:
        return 90.0
    middle = eyes + _NOSE_DROP * (mouth - eyes)
    offset = float(np.dot(nose - middle, across)) / distance
    return math.degrees(math.atan2(offset, _NOSE_DEPTH * distance))


def _visible(detection: FaceDetection, width: int, height: int) -> float:
    """The part of the box inside the image; nothing of worth when a landmark is only guessed outside it."""
    box = detection.box
    if box.area <= 0 or (detection.landmarks < 0).any() or (detection.landmarks > (width, height)).any():
        return 0.0
    across = min(box.x + box.width, width) - max(box.x, 0)
    down = min(box.y + box.height, height) - max(box.y, 0)
    return max(across, 0) * max(down, 0) / box.area


def _first_problem(figures: FaceQuality, limits: Limits) -> FaceProblem | None:
    """Causes before effects: whoever is too far off is also blurred, but should be told to come nearer."""
    checks = (
        (FaceProblem.TOO_SMALL, figures.eye_distance_px < limits.eye_distance_px),
        (FaceProblem.CUT_OFF, figures.visible < limits.visible),
        (FaceProblem.TOO_DARK, figures.brightness < limits.darkest),
        (FaceProblem.TOO_BRIGHT, figures.brightness > limits.brightest),
        (FaceProblem.TURNED_AWAY, abs(figures.yaw_degrees) > limits.yaw_degrees),
        (FaceProblem.BLURRED, figures.sharpness < limits.sharpness),
        (FaceProblem.LOW_UTILITY, not figures.norm >= limits.norm),
    )
    return next((problem for problem, holds in checks if holds), None)
