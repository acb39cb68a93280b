from dataclasses import replace

import numpy as np
import pytest

from doorward.vision.model import Box
from doorward.vision.plates import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.plausibility import Finding, is_plausible, rank

USUAL = {
    Region.CN: "京A12345",
    Region.EU: "AB123CD",
    Region.US: "7ABC123",
    Region.BR: "ABC1D23",
    Region.LATIN: "ABC1D23",
}


def seen(
    *,
    text: str = "ABC1D23",
    read: tuple[float, ...] = (0.95,) * 7,
    share: float = 1.0,
    width: float = 120,
    glance: float = 0.9,
    closer: float = 0.95,
) -> Finding:
    best = PlateCandidate(text, share, read)
    crop = np.zeros((48, 144, 3), np.uint8)
    return Finding(PlateObservation(Box(0, 0, width, 40), None, (best,), closer, crop), glance=glance)


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_well_found_and_well_read_is_one(region: Region) -> None:
    assert is_plausible(seen(text=USUAL[region]), region)


@pytest.mark.parametrize("region", list(Region))
def test_clear_text_where_the_detector_sees_no_plate_is_a_sign(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], glance=0.04), region)
    assert not is_plausible(seen(text=USUAL[region], closer=0.1), region)


@pytest.mark.parametrize("region", list(Region))
def test_a_plate_that_cannot_be_read_is_not_guessed(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], read=(0.5,) * 7), region)


@pytest.mark.parametrize(
    ("text", "glance", "closer", "region"),
    [
        ("AB123CD", 0.12, 0.6, Region.EU),  # a usual format
        ("NO86", 0.35, 0.95, Region.EU),  # a German one, and what stands on many doors
        ("7ABC123", 0.12, 0.6, Region.US),
        ("12A345", 0.45, 0.75, Region.US),
        ("MARKET", 0.85, 0.95, Region.US),
    ],
)
def test_the_looser_the_format_the_surer_the_detector_must_be(
    text: str, glance: float, closer: float, region: Region
) -> None:
    assert is_plausible(seen(text=text, glance=glance, closer=closer), region)
    assert not is_plausible(seen(text=text, glance=glance * 0.6, closer=closer), region)
    assert not is_plausible(seen(text=text, glance=glance, closer=closer * 0.8), region)


def test_the_better_found_and_the_better_read_come_first() -> None:
    assert rank(seen()) > rank(seen(glance=0.5))
    assert rank(seen()) > rank(seen(read=(0.8,) * 7))


@pytest.mark.parametrize("region", list(Region))
@pytest.mark.parametrize("width", [30, 300])
def test_no_plate_is_upright_or_a_long_band(region: Region, width: float) -> None:
    assert not is_plausible(seen(text=USUAL[region], width=width), region)


def test_a_plate_of_two_rows_is_nearly_square() -> None:
    assert not is_plausible(seen(width=50), Region.BR)
    assert is_plausible(replace(seen(width=50), rows=2), Region.BR)
    assert not is_plausible(replace(seen(width=120), rows=2), Region.BR)


def test_american_lettering_is_narrow() -> None:
    assert is_plausible(replace(seen(text=USUAL[Region.US]), pitch=0.55), Region.US)
    assert not is_plausible(replace(seen(text=USUAL[Region.US]), pitch=0.7), Region.US)


@pytest.mark.parametrize("region", list(Region))
def test_a_reading_among_many_as_likely_is_none(region: Region) -> None:
    assert not is_plausible(seen(text=USUAL[region], share=0.2), region)


@pytest.mark.parametrize("region", list(Region))
def test_what_has_small_letters_is_a_sign(region: Region) -> None:
    assert not is_plausible(replace(seen(text=USUAL[region]), small=0.9), region)


def test_a_word_that_the_grammar_had_to_cut_is_none() -> None:
    assert not is_plausible(replace(seen(), agreement=-7.0), Region.BR)


def test_twins_may_be_told_apart_by_the_grammar_in_a_usual_format_only() -> None:
    assert is_plausible(replace(seen(text="AB123CD"), agreement=-1.6), Region.EU)
    assert not is_plausible(replace(seen(text="A1234O"), agreement=-1.6), Region.EU)


def test_light_characters_on_dark_ground_need_a_usual_format_in_europe() -> None:
    assert is_plausible(replace(seen(text="AB123CD"), is_light_on_dark=True), Region.EU)
    assert not is_plausible(replace(seen(text="NO86"), is_light_on_dark=True), Region.EU)
    assert is_plausible(replace(seen(text=USUAL[Region.CN]), is_light_on_dark=True), Region.CN)


@pytest.mark.parametrize("text", ["20I40514", "9O14553", "OI01"])
def test_a_number_that_only_the_grammar_made_letters_of_is_none(text: str) -> None:
    assert not is_plausible(seen(text=text), Region.EU)


def test_one_weak_character_spoils_a_clear_read() -> None:
    assert not is_plausible(seen(read=(0.99,) * 6 + (0.05,)), Region.EU)


def test_nothing_read_is_no_plate() -> None:
    empty = replace(seen().observation, candidates=())
    assert not is_plausible(replace(seen(), observation=empty), Region.EU)


def test_the_corners_tell_the_shape_where_there_are_some() -> None:
    leaning = np.array([[0, 0], [84, 84], [64, 104], [-20, 20]], np.float32)
    plate = replace(seen(width=40).observation, corners=leaning)
    assert is_plausible(replace(seen(), observation=plate), Region.EU)
