"""Turns a found face into a template: aligned to a fixed place, then run through SFace."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision.model import TEMPLATE_LENGTH, FaceTemplate
from doorward.vision.sessions import session

SIDE = 112
# Where SFace was trained to see the five landmarks (OpenCV, FaceRecognizerSF::alignCrop).
_PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_COMPLEX_PLACES = _PLACES[:, 0] + 1j * _PLACES[:, 1]
_CENTRE = _COMPLEX_PLACES.mean()
_CENTRED_PLACES = _COMPLEX_PLACES - _CENTRE
# Sampling fewer than every second pixel would alias, so larger faces are averaged down first.
_LEAST_SCALE = 0.5
# A face so large that it spans 100,000 pixels is none.
_LEAST_FACE = 1e-3


def align(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The face turned upright and scaled to uint8 (112, 112, 3) BGR; black where the image ends."""
    turn, shift = _similarity(landmarks)
    if abs(turn) < _LEAST_SCALE:
        image, turn, shift = _averaged_down(image, turn, shift)
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    return np.asarray(cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def embed(aligned: NDArray[np.uint8]) -> tuple[FaceTemplate, float]:
    """The template of an aligned face and its length before normalising, which tells how usable it is."""
    if aligned.shape != (SIDE, SIDE, 3) or aligned.dtype != np.uint8:
        raise Invalid("A face must be aligned before it can be compared.")
    picture = np.ascontiguousarray(aligned)
    (answer,) = session("face_recogniser.onnx").run(["fc1"], {"picture": picture})
    vector: NDArray[np.float32] = answer[0]
    norm = float(np.linalg.norm(vector))
    if not norm > 0:
        raise Invalid("This face gives no template: use another picture.")
    vector /= norm
    return vector, norm


def enrol_template(templates: Sequence[FaceTemplate]) -> FaceTemplate:
    """One template from several of the same person: their mean, of length 1 again."""
    if not templates or any(template.shape != (TEMPLATE_LENGTH,) for template in templates):
        raise Invalid("At least one face template is needed.")
    mean: FaceTemplate = np.stack(templates).mean(axis=0, dtype=np.float64).astype(np.float32)
    length = float(np.linalg.norm(mean))
    if not length > 0:
        raise Invalid("These pictures do not show the same person.")
    mean /= length
    return mean


def _similarity(landmarks: NDArray[np.float32]) -> tuple[complex, complex]:
    """Least-squares z -> turn * z + shift from image to aligned face, points as complex numbers."""
    points = landmarks[:, 0].astype(np.float64) + 1j * landmarks[:, 1]
    centre = points.mean()
    centred = points - centre
    spread = float(np.vdot(centred, centred).real)
    if not spread > 0 or not np.isfinite(spread):
        raise Invalid("The landmarks of this face lie on one point.")
    turn = complex(np.vdot(centred, _CENTRED_PLACES) / spread)
    if abs(turn) < _LEAST_FACE:
        raise Invalid("The landmarks of this face do not form a face.")
    return turn, complex(_CENTRE - turn * centre)


def _averaged_down(
    image: NDArray[np.uint8], turn: complex, shift: complex
) -> tuple[NDArray[np.uint8], complex, complex]:
    """The part of the image that the aligned face shows, averaged down, with the mapping that fits it."""
    # A rim of two pixels keeps the cut from showing at the edge of the aligned face.
    corners = (np.array([-2 - 2j, SIDE + 2 - 2j, -2 + (SIDE + 2) * 1j, (SIDE + 2) * (1 + 1j)]) - shift) / turn
    height, width = image.shape[:2]
    left, right = (int(np.clip(x, 0, width)) for x in (corners.real.min(), corners.real.max() + 1))
    top, bottom = (int(np.clip(y, 0, height)) for y in (corners.imag.min(), corners.imag.max() + 1))
    part = image[top:bottom, left:right]
    if not part.size:
        return image, turn, shift
    step = _LEAST_SCALE / abs(turn)
    size = max(1, round(part.shape[1] / step)), max(1, round(part.shape[0] / step))
    smaller = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    # A pixel's coordinate is its middle, so the small picture's first pixel lies half a step inside.
    first = complex(left, top) + (step - 1) / 2 * (1 + 1j)
    return smaller, turn * step, shift + turn * first
