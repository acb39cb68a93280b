"""Plates of one row and of two: which shape may be which, and where the rows are cut."""

import numpy as np
import pytest

from doorward.vision.plates.chinese import may_be_stacked, stacked
from doorward.vision.plates.crops import HEIGHT


def corners(width: float, height: float) -> np.ndarray:
    return np.array([[20, 20], [20 + width, 20], [20 + width, 20 + height], [20, 20 + height]], np.float32)


@pytest.mark.parametrize(
    ("width", "height", "answer"),
    [(440, 140, False), (480, 140, False), (440, 220, True), (220, 140, True)],
)
def test_the_shape_tells_whether_there_may_be_two_rows(width: float, height: float, answer: bool) -> None:
    assert may_be_stacked(corners(width, height)) is answer


def test_the_upper_row_comes_first_and_the_lower_one_after_it() -> None:
    picture = np.zeros((260, 480, 3), np.uint8)
    picture[20 : 20 + 80] = (0, 0, 200)
    picture[20 + 92 :] = (0, 200, 0)
    line = stacked(picture, corners(440, 220))
    assert line.shape[0] == HEIGHT
    red, green = line[HEIGHT // 2, :, 2], line[HEIGHT // 2, :, 1]
    assert red[:20].min() > 150
    assert green[-20:].min() > 150
    assert (np.flatnonzero(green > 150).min() > np.flatnonzero(red > 150).max()).all()
