import numpy as np
import pytest

from doorward.vision import weights
from doorward.vision.plates import Region, read
from doorward.vision.plates.rendering import approach, render_plate_scene
from doorward.vision.plates.voting import PlateVote


@pytest.fixture(scope="module", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


@pytest.mark.parametrize("text", ["TIX5807", "FWG6J05", "BNC3589"])
def test_a_drawn_plate_is_read_as_it_was_written(text: str) -> None:
    (seen,) = read(render_plate_scene(text, Region.BR, seed=11), region=Region.BR)
    assert seen.candidates[0].text == text


def test_one_seed_gives_one_picture_and_another_seed_another() -> None:
    first = render_plate_scene("ABC1D23", Region.EU, seed=3, size=(640, 360))
    assert first.shape == (360, 640, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, render_plate_scene("ABC1D23", Region.EU, seed=3, size=(640, 360)))
    assert (first != render_plate_scene("ABC1D23", Region.EU, seed=4, size=(640, 360))).mean() > 0.5


def test_a_car_that_comes_nearer_is_told_once_with_its_plate() -> None:
    vote = PlateVote(frames_needed=3)
    reads = [read(frame, region=Region.BR) for frame in approach("BRA2E19", Region.BR, seed=1, frames=4)]
    told = [car for n, seen in enumerate(reads) for car in vote.add(seen, at=n * 0.2)]
    assert [car.candidates[0][0] for car in told] == ["BRA2E19"]
    assert reads[-1][0].box.width > 1.5 * reads[0][0].box.width


def test_chinese_characters_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="another region"):
        render_plate_scene("京A12345", Region.CN, seed=1)


@pytest.mark.parametrize("text", ["TRX5867", "FWG6J85"])
def test_a_motorcycle_is_read_from_its_two_rows(text: str) -> None:
    (seen,) = read(render_plate_scene(text, Region.BR, seed=11, rows=2), region=Region.BR)
    assert seen.candidates[0].text == text
    assert seen.box.width < 2 * seen.box.height
