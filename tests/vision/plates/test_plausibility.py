import numpy as np
import pytest

from doorward.vision.model import Box
from doorward.vision.plates import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.plausibility import is_plausible, rank


def seen(*, found: float = 0.9, read: float = 0.95) -> PlateObservation:
    best = PlateCandidate("ABC1D23", 1.0, (read,) * 7)
    return PlateObservation(Box(0, 0, 120, 40), None, (best,), found, np.zeros((48, 144, 3), np.uint8))


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_well_found_and_well_read_is_one(region: Region) -> None:
    assert is_plausible(seen(), region)


@pytest.mark.parametrize("region", list(Region))
def test_clear_text_where_the_detector_sees_no_plate_is_a_sign(region: Region) -> None:
    assert not is_plausible(seen(found=0.1, read=1.0), region)


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_that_cannot_be_read_is_not_guessed(region: Region) -> None:
    assert not is_plausible(seen(read=0.5), region)


def test_european_plates_are_believed_at_less_than_american_ones() -> None:
    unsure = seen(found=0.2)
    assert is_plausible(unsure, Region.EU)
    assert not is_plausible(unsure, Region.US)


def test_the_better_found_and_the_better_read_come_first() -> None:
    assert rank(seen()) > rank(seen(found=0.5))
    assert rank(seen()) > rank(seen(read=0.8))
