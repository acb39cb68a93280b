from dataclasses import replace

import numpy as np
import pytest

from doorward.vision.model import Box
from doorward.vision.plates import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.plausibility import is_plausible, rank

USUAL = {
    Region.CN: "京A88731",
    Region.EU: "AB123CD",
    Region.US: "7ABC123",
    Region.BR: "ABC1D23",
    Region.LATIN: "ABC1D23",
}


def seen(
    *, found: float = 0.9, read: float = 0.95, text: str = "ABC1D23", share: float = 1.0, width: float = 120
) -> PlateObservation:
    best = PlateCandidate(text, share, (read,) * 7)
    return PlateObservation(Box(0, 0, width, 40), None, (best,), found, np.zeros((48, 144, 3), np.uint8))


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_well_found_and_well_read_is_one(region: Region) -> None:
    assert is_plausible(seen(text=USUAL[region]), region)


@pytest.mark.parametrize("region", list(Region))
def test_clear_text_where_the_detector_sees_no_plate_is_a_sign(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], found=0.05, read=1.0), region)


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_that_cannot_be_read_is_not_guessed(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], read=0.5), region)


@pytest.mark.parametrize(
    ("text", "found", "region"),
    [
        ("AB123CD", 0.12, Region.EU),  # a usual format
        ("NO86", 0.35, Region.EU),  # a German one, and what stands on many doors
        ("7ABC123", 0.12, Region.US),
        ("H7640", 0.85, Region.US),
        ("MARKET", 0.85, Region.US),
    ],
)
def test_the_looser_the_format_the_surer_the_detector_must_be(
    text: str, found: float, region: Region
) -> None:
    assert is_plausible(seen(text=text, found=found), region)
    assert not is_plausible(seen(text=text, found=found * 0.6), region)


def test_the_better_found_and_the_better_read_come_first() -> None:
    assert rank(seen()) > rank(seen(found=0.5))
    assert rank(seen()) > rank(seen(read=0.8))


@pytest.mark.parametrize("region", list(Region))
@pytest.mark.parametrize("width", [30, 300])
def test_no_plate_is_upright_or_a_long_band(region: Region, width: float) -> None:
    assert not is_plausible(seen(text=USUAL[region], width=width), region)


@pytest.mark.parametrize("region", list(Region))
def test_a_reading_among_many_as_likely_is_none(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], share=0.2), region)


@pytest.mark.parametrize("text", ["20I40514", "9O14553", "OI01"])
def test_a_number_that_only_the_grammar_made_letters_of_is_none(text: str) -> None:
    assert not is_plausible(seen(text=text), Region.EU)


def test_one_weak_character_spoils_a_clear_read() -> None:
    clear = seen()
    best = PlateCandidate("ABC1D23", 1.0, (0.99,) * 6 + (0.05,))
    assert not is_plausible(replace(clear, candidates=(best,)), Region.EU)


def test_the_corners_tell_the_shape_where_there_are_some() -> None:
    leaning = np.array([[0, 0], [84, 84], [64, 104], [-20, 20]], np.float32)
    assert is_plausible(replace(seen(width=40), corners=leaning), Region.EU)
