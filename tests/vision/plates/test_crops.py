import cv2
import numpy as np
import pytest

from doorward.vision.plates.crops import beside, brightened, is_light_on_dark


def written(*, ground: int, ink: int) -> np.ndarray:
    strip = np.full((48, 200, 3), ground, np.uint8)
    cv2.putText(strip, "ABC 123", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (ink, ink, ink), 3)
    return strip


def test_the_ground_tells_light_on_dark_from_dark_on_light() -> None:
    assert is_light_on_dark(written(ground=40, ink=220))
    assert not is_light_on_dark(written(ground=220, ink=40))


def test_a_picture_without_light_is_scaled_up_and_keeps_its_order() -> None:
    night = np.tile(np.arange(0, 60, dtype=np.uint8)[:, None, None], (1, 80, 3))
    day = brightened(night)
    assert day.max() > 200
    assert (np.diff(day[:, 0, 0].astype(int)) >= 0).all()


@pytest.mark.parametrize("level", [0, 200])
def test_a_bright_spot_or_nothing_at_all_stays_as_it_is(level: int) -> None:
    picture = np.zeros((80, 80, 3), np.uint8)
    picture[:40] = level
    np.testing.assert_array_equal(brightened(picture), picture)


def test_rows_stand_side_by_side() -> None:
    joined = beside([np.zeros((48, 30, 3), np.uint8), np.ones((48, 50, 3), np.uint8)])
    assert joined.shape == (48, 80, 3)
    assert joined[0, 29, 0] == 0
    assert joined[0, 30, 0] == 1
