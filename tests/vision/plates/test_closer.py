"""The closer look: one place, magnified, and told in the pixels of the whole picture."""

import numpy as np
import pytest

from doorward.vision.model import Box
from doorward.vision.plates.closer import HEIGHT, WIDTH, look_closer
from doorward.vision.plates.detector import Image, PlateDetection

PLACE = PlateDetection(Box(100, 200, 80, 20), None, 0.3)
PICTURE = np.zeros((400, 600, 3), np.uint8)


class Detector:
    """Sees a plate wherever it is told to, in the shown part's pixels."""

    def __init__(self, *found: PlateDetection) -> None:
        self.found, self.shown = list(found), (0, 0)

    def __call__(self, image: Image, *, least_confidence: float, longest_side: int) -> list[PlateDetection]:
        assert longest_side >= max(image.shape[:2])
        self.shown = image.shape[:2]
        return self.found


def test_the_place_is_shown_in_the_shape_of_a_chinese_plate_with_its_surroundings() -> None:
    detector = Detector()
    assert look_closer(PICTURE, PLACE, detector) is None
    np.testing.assert_allclose(detector.shown, (HEIGHT * 4, WIDTH * 2.6), atol=2)


def test_what_is_found_comes_back_in_the_pixels_of_the_picture() -> None:
    scale = np.array([WIDTH / 80, HEIGHT / 20], np.float32)
    corners = np.array([[64, 30], [144, 30], [144, 50], [64, 50]], np.float32) * scale
    box = Box(64 * WIDTH / 80, 30 * HEIGHT / 20, WIDTH, HEIGHT)
    found = look_closer(PICTURE, PLACE, Detector(PlateDetection(box, corners, 0.9)))
    assert found is not None
    np.testing.assert_allclose((found.box.x, found.box.y), (100, 200), atol=1)
    assert found.confidence == 0.9
    assert found.corners is not None
    np.testing.assert_allclose(found.corners[2], [180, 220], atol=1)


def test_a_plate_elsewhere_is_not_the_same() -> None:
    elsewhere = PlateDetection(Box(0, 0, 30, 10), None, 0.99)
    assert look_closer(PICTURE, PLACE, Detector(elsewhere)) is None


@pytest.mark.parametrize(
    "box", [Box(590, 390, 80, 20), Box(-70, -10, 80, 20), Box(900, 900, 5, 5), Box(5, 5, 0, 0)]
)
def test_no_place_is_too_odd(box: Box) -> None:
    assert look_closer(PICTURE, PlateDetection(box, None, 0.3), Detector()) is None
