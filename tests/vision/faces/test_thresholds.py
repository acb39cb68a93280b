import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.gates.model import SiteRules
from doorward.vision.thresholds import (
    FLOOR,
    ONE_PHOTO,
    SEVERAL_PHOTOS,
    face_threshold,
    wrong_openings_one_in,
)

promises = st.integers(1, 10**9)
galleries = st.integers(1, 10**8)
frames = st.integers(1, 9)


@pytest.mark.parametrize(("cosine", "rate"), ONE_PHOTO)
def test_a_measured_rate_gives_the_measured_cut(cosine: float, rate: float) -> None:
    cut = face_threshold(one_in=round(1 / rate), gallery_size=1, enrolled_frames=1)
    assert cut == pytest.approx(max(cosine, FLOOR), abs=1e-9)


def test_the_default_search_among_1700_cuts_at_about_one_half() -> None:
    cut = face_threshold(one_in=SiteRules().one_in_identifying, gallery_size=1_700)
    assert cut == pytest.approx(0.502, abs=0.002)


def test_the_default_comparison_with_one_claimed_person_is_as_strict_as_one_in_ten_thousand() -> None:
    cut = face_threshold(one_in=SiteRules().one_in_verifying, gallery_size=1)
    assert wrong_openings_one_in(cut, 1) == pytest.approx(10_000)


def test_means_of_several_photos_are_never_trusted_more() -> None:
    for cosine in (0.30, 0.36, 0.40, 0.45, 0.50, 0.60):
        assert wrong_openings_one_in(cosine, 1) <= wrong_openings_one_in(cosine, 1, enrolled_frames=1)


@given(promises, galleries, frames)
def test_the_promise_read_back_is_never_weaker_than_asked(one_in: int, gallery: int, photos: int) -> None:
    cut = face_threshold(one_in=one_in, gallery_size=gallery, enrolled_frames=photos)
    assert FLOOR <= cut <= 1.0
    if cut < 1.0:
        assert wrong_openings_one_in(cut, gallery, enrolled_frames=photos) >= one_in * (1 - 1e-9)


@given(promises, galleries, promises, galleries, frames)
def test_more_people_or_a_stronger_promise_never_lower_the_cut(
    one_in: int, gallery: int, more: int, newcomers: int, photos: int
) -> None:
    cut = face_threshold(one_in=one_in, gallery_size=gallery, enrolled_frames=photos)
    stricter = face_threshold(one_in=one_in + more, gallery_size=gallery + newcomers, enrolled_frames=photos)
    assert stricter >= cut


@given(st.floats(-1, 1), st.floats(-1, 1), galleries, frames)
def test_a_higher_cut_never_opens_more_often(left: float, right: float, gallery: int, photos: int) -> None:
    lower, higher = sorted((left, right))
    assert wrong_openings_one_in(lower, gallery, enrolled_frames=photos) <= wrong_openings_one_in(
        higher, gallery, enrolled_frames=photos
    )
    assert wrong_openings_one_in(lower, gallery, enrolled_frames=photos) >= 1


def test_beyond_the_measured_the_line_goes_on_with_the_flattest_slope() -> None:
    """Each further tenfold costs at least as much cosine as the dearest tenfold measured."""
    for photos, curve in ((1, ONE_PHOTO), (3, SEVERAL_PHOTOS)):
        last = curve[-1]
        further = face_threshold(one_in=round(10 / last[1]), gallery_size=1, enrolled_frames=photos)
        assert further - last[0] >= 0.0559


@pytest.mark.parametrize(
    "asked",
    [
        {"one_in": 0, "gallery_size": 1},
        {"one_in": 1, "gallery_size": 0},
        {"one_in": 1, "gallery_size": 1, "enrolled_frames": 0},
    ],
)
def test_a_promise_about_nothing_is_refused(asked: dict[str, int]) -> None:
    with pytest.raises(Invalid):
        face_threshold(**asked)


@pytest.mark.parametrize(("cut", "gallery"), [(1.1, 1), (float("nan"), 1), (0.5, 0)])
def test_a_cut_that_cannot_be_is_refused(cut: float, gallery: int) -> None:
    with pytest.raises(Invalid):
        wrong_openings_one_in(cut, gallery)
