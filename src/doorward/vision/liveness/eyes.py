"""How open the eyes are, from the pixels around them; no model, so only comparable within one track."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Eye distance in the upright patch; below LEAST_EYE_DISTANCE pixels in the frame there is nothing to measure.
EYE_DISTANCE = 80.0
LEAST_EYE_DISTANCE = 36.0
_WIDE, _TALL = 44, 36
_DARKEST, _BRIGHTEST = 25.0, 235.0


def eye_openness(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> tuple[float, float] | None:
    """Right and left eye's openness, about 0 (closed) to 1, or None where face or light do not allow it."""
    right, left = landmarks[0].astype(np.float64), landmarks[1].astype(np.float64)
    across = left - right
    distance = float(np.hypot(*across))
    if not distance >= LEAST_EYE_DISTANCE:
        return None
    measured = [_openness(_patch(image, eye, across, distance)) for eye in (right, left)]
    if measured[0] is None or measured[1] is None:
        return None
    return measured[0], measured[1]


def _patch(
    image: NDArray[np.uint8], eye: NDArray[np.float64], across: NDArray[np.float64], distance: float
) -> NDArray[np.float32]:
    """The upright, size-normalised grey surroundings of one eye."""
    scale = EYE_DISTANCE / distance
    cosine, sine = across / distance * scale
    turn = np.array([[cosine, sine], [-sine, cosine]])
    shift = np.array([_WIDE / 2, _TALL / 2]) - turn @ eye
    patch = cv2.warpAffine(
        image, np.hstack([turn, shift[:, None]]), (_WIDE, _TALL), flags=cv2.INTER_AREA | cv2.INTER_LINEAR
    )
    grey = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 1.2), np.float32)


def _openness(patch: NDArray[np.float32]) -> float | None:
    """The height of the dark iris and pupil against the lids, weighted by how dark they are.

    A closed eye leaves a thin lash line, an open one a dark blob as tall as the opening.
    """
    skin = float(np.percentile(patch, 70))
    if not _DARKEST < skin < _BRIGHTEST:
        return None
    darkness = np.clip((skin - patch) / skin, 0.0, 1.0)
    middle = darkness[6:-4, _WIDE // 2 - 9 : _WIDE // 2 + 9]
    columns = np.sort(middle.sum(axis=0))
    return float(columns[len(columns) // 2 :].mean()) / 8.0
