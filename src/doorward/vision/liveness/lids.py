"""How far the lids are apart, from the face mesh; comparable within one track only.

The mesh (MediaPipe Face Mesh V2) measures lids and nothing else here: it never says who somebody is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness.model import Lids
from doorward.vision.sessions import session

# Below this many pixels between the eyes there is nothing to measure.
LEAST_EYE_DISTANCE = 36.0
# The square shown to the mesh: so many eye distances wide, its middle so many below the eyes.
_SIDE, _BELOW = 2.75, 0.35
_PIXELS = 256
# Of each eye its two corners, then pairs across the opening, upper lid first.
_CORNERS = ((33, 133), (263, 362))
_PAIRS = (((159, 145), (160, 144), (158, 153)), ((386, 374), (385, 380), (387, 373)))


def lids(image: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> Lids | None:
    """The lids of the face at these landmarks; None where it is too small or the mesh sees no face."""
    seen = mesh(image, landmarks)
    if seen is None:
        return None
    points, presence = seen
    right, left = (_opening(points, *eye) for eye in zip(_CORNERS, _PAIRS, strict=True))
    # Not "at most zero": NaN must count as no face.
    return Lids(right, left, presence) if presence > 0 and min(right, left) > 0 else None


def mesh(
    image: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> tuple[NDArray[np.float64], float] | None:
    """The 478 points in the image's pixels and the logit of a face being there; None if it is too small."""
    right, left = landmarks[0].astype(np.float64), landmarks[1].astype(np.float64)
    distance = float(np.hypot(*(left - right)))
    if not (np.isfinite(distance) and distance >= LEAST_EYE_DISTANCE):
        return None
    turn, shift = _placing(right, left)
    patch = cv2.warpAffine(
        image,
        np.hstack([turn, shift[:, None]]),
        (_PIXELS, _PIXELS),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    answers = session("face_mesh.onnx").run(["points", "presence"], {"picture": patch})
    points = answers[0].reshape(-1, 3)[:, :2].astype(np.float64)
    return (points - shift) @ np.linalg.inv(turn).T, float(answers[1][0, 0])


def _placing(
    right: NDArray[np.float64], left: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What turns, scales and moves the image so that the eyes are always at the same place of the square."""
    across = left - right
    distance = float(np.hypot(*across))
    cosine, sine = across / distance * (_PIXELS / (_SIDE * distance))
    turn = np.array([[cosine, sine], [-sine, cosine]])
    centre = (right + left) / 2 + _BELOW * np.array([-across[1], across[0]])
    return turn, np.full(2, _PIXELS / 2) - turn @ centre


def _opening(
    points: NDArray[np.float64], corners: tuple[int, int], pairs: tuple[tuple[int, int], ...]
) -> float:
    """The mean height of the opening against the eye's width."""
    outer, inner = points[list(corners)]
    upper, lower = points[[pair[0] for pair in pairs]], points[[pair[1] for pair in pairs]]
    heights = np.hypot(*(upper - lower).T)
    return float(heights.mean() / max(float(np.hypot(*(outer - inner))), 1e-6))
