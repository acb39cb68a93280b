import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.vision.liveness.eyes import eye_openness

MARKS = np.array([[120, 150], [200, 150], [160, 195], [130, 235], [190, 235]], np.float32)


def face(opening: int, *, skin: int = 170, noise: float = 0.0) -> NDArray[np.uint8]:
    """A drawn face whose eyes are open by so many pixels; 0 leaves a lash line."""
    image = np.full((320, 320, 3), skin, np.uint8)
    for eye in MARKS[:2].astype(int):
        centre = (int(eye[0]), int(eye[1]))
        white = np.zeros(image.shape[:2], np.uint8)
        cv2.ellipse(white, centre, (15, max(1, opening)), 0, 0, 360, 255, -1)
        image[white > 0] = min(255, int(skin * 1.2)) if opening else int(skin * 0.4)
        iris = np.zeros_like(white)
        cv2.circle(iris, centre, 7, 255, -1)
        image[(white > 0) & (iris > 0)] = int(skin * 0.25)
    grain = np.random.default_rng(5).normal(0, noise, image.shape)
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def turned(
    image: NDArray[np.uint8], degrees: float, scale: float
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    matrix = cv2.getRotationMatrix2D((160, 160), degrees, scale)
    marks = MARKS @ matrix[:, :2].T + matrix[:, 2]
    shown = cv2.warpAffine(image, matrix, (320, 320), flags=cv2.INTER_AREA, borderValue=(170, 170, 170))
    return np.asarray(shown, np.uint8), marks.astype(np.float32)


@pytest.mark.parametrize("skin", [90, 130, 170, 210])
@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_shut_eyes_measure_well_below_open_ones(skin: int, noise: float) -> None:
    wide, shut = (eye_openness(face(size, skin=skin, noise=noise), MARKS) for size in (8, 0))
    assert wide is not None and shut is not None
    assert max(shut) < 0.6 * min(wide)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 0.8), (15, 1.0), (-20, 0.9), (8, 0.7)])
def test_the_figure_keeps_still_while_the_head_tilts_and_moves_away(degrees: float, scale: float) -> None:
    straight = eye_openness(face(8), MARKS)
    tilted = eye_openness(*turned(face(8), degrees, scale))
    assert straight is not None and tilted is not None
    assert tilted == pytest.approx(straight, rel=0.18)


def test_small_dark_and_glaring_faces_are_not_measured() -> None:
    assert eye_openness(face(8), MARKS * np.float32(0.3)) is None
    assert eye_openness(face(8, skin=12), MARKS) is None
    assert eye_openness(np.full((320, 320, 3), 250, np.uint8), MARKS) is None
    assert eye_openness(face(8), np.full((5, 2), np.nan, np.float32)) is None
