from collections.abc import Sequence

import numpy as np
import pytest

from doorward.vision.model import Box
from doorward.vision.plates import PlateCandidate, PlateObservation, match
from doorward.vision.plates.voting import PlateVote

CROP = np.zeros((48, 200, 3), np.uint8)


def seen(text: str, *, x: float = 100, sure: float = 0.95, share: float = 0.9) -> PlateObservation:
    rest = PlateCandidate(text[:-1] + ("0" if text[-1] != "0" else "1"), 1 - share, (sure,) * len(text))
    best = PlateCandidate(text, share, (sure,) * len(text))
    return PlateObservation(Box(x, 50, 120, 40), None, (best, rest), 0.9, CROP)


def test_a_car_is_told_when_enough_frames_agree() -> None:
    vote = PlateVote(frames_needed=3)
    assert vote.add([seen("ABC1D23")], at=0.0) == []
    assert vote.add([seen("ABC1D23", sure=0.99)], at=0.2) == []
    (told,) = vote.add([seen("ABC1D23")], at=0.4)
    text, share = told.candidates[0]
    assert text == "ABC1D23"
    assert share == pytest.approx(0.9)
    assert told.frames == 3
    assert told.minimum_character_confidence == pytest.approx(0.99)


def test_a_car_that_moves_or_parks_is_told_once() -> None:
    vote = PlateVote(frames_needed=2)
    told = [vote.add([seen("ABC1D23", x=100 + 9 * n)], at=n * 0.2) for n in range(300)]
    assert sum(map(len, told)) == 1
    assert vote.finish() == []


def test_one_misread_frame_is_outvoted() -> None:
    vote = PlateVote(frames_needed=3)
    texts = ["ABC1D23", "ABC1D28", "ABC1D23", "ABC1D23"]
    told = [car for n, text in enumerate(texts) for car in vote.add([seen(text)], at=n * 0.2)]
    assert [car.candidates[0][0] for car in told] == ["ABC1D23"]
    assert told[0].frames == 3


def test_frames_that_never_agree_are_told_only_at_the_end() -> None:
    vote = PlateVote(frames_needed=3)
    for n in range(6):
        assert vote.add([seen(f"ABC1D{n}{n}")], at=n * 0.2) == []
    (rest,) = vote.finish()
    assert rest.frames == 1
    assert sum(share for _, share in rest.candidates) <= 1 + 1e-9


def test_three_frames_among_many_that_say_otherwise_settle_nothing() -> None:
    vote = PlateVote(frames_needed=3)
    for n, text in enumerate(["ABC1D23", "ABC1D24", "ABC1D26"] * 4):
        assert vote.add([seen(text)], at=n * 0.2) == []
    (rest,) = vote.finish()
    assert rest.candidates[0][1] < 0.5


def test_two_cars_side_by_side_are_two() -> None:
    vote = PlateVote(frames_needed=2)
    pair = [seen("ABC1D23", x=50), seen("XYZ9W88", x=500)]
    vote.add(pair, at=0.0)
    assert {car.candidates[0][0] for car in vote.add(pair, at=0.2)} == {"ABC1D23", "XYZ9W88"}


def test_a_car_that_comes_back_later_is_told_again() -> None:
    vote = PlateVote(frames_needed=1, forget_seconds=10)
    assert len(vote.add([seen("ABC1D23")], at=0.0)) == 1
    assert vote.add([seen("ABC1D23")], at=9.0) == []
    assert len(vote.add([seen("ABC1D23")], at=19.5)) == 1


def test_a_still_image_settles_at_once_and_leaves_nothing_behind() -> None:
    vote = PlateVote(frames_needed=3)
    (told,) = vote.add([seen("ABC1D23")], at=0.0, is_still=True)
    assert (told.candidates[0][0], told.frames) == ("ABC1D23", 1)
    assert vote.finish() == []


def test_a_clip_too_short_to_settle_is_told_at_the_end() -> None:
    vote = PlateVote(frames_needed=3)
    vote.add([seen("ABC1D23")], at=0.0)
    (rest,) = vote.finish()
    assert (rest.candidates[0][0], rest.frames) == ("ABC1D23", 1)


def told_in(vote: PlateVote, texts: Sequence[str], *, x: float = 100, share: float = 0.9) -> list[str]:
    """The best texts of the cars told while these are read at one place, five a second."""
    cars = [car for n, text in enumerate(texts) for car in vote.add([seen(text, x=x, share=share)], at=n / 5)]
    return [car.candidates[0][0] for car in cars]


def test_the_next_car_in_the_same_place_is_told_too() -> None:
    vote = PlateVote(frames_needed=3)
    assert told_in(vote, ["ABC1D23"] * 4 + ["XYZ9W88"] * 30) == ["ABC1D23", "XYZ9W88"]
    assert vote.finish() == []


def test_the_next_car_of_a_fleet_is_told_though_its_plate_differs_by_one_character() -> None:
    vote = PlateVote(frames_needed=3)
    assert told_in(vote, ["ABC1D23"] * 4 + ["ABC1D24"] * 30) == ["ABC1D23", "ABC1D24"]


def test_a_car_that_turned_back_leaves_no_vote_to_whoever_takes_its_place() -> None:
    vote = PlateVote(frames_needed=3)
    for n in range(2):
        assert vote.add([seen("ABC1D23", share=0.999)], at=n / 5) == []
    told = [car for n in range(3) for car in vote.add([seen("XYZ9W88", share=0.999)], at=2 + n / 5)]
    assert [match(car.candidates, ["ABC1D23"]).text for car in told] == [None]
    assert all(text.startswith("XYZ9W8") for text, _ in told[0].candidates)


def test_misreads_now_and_then_do_not_tell_a_parked_car_again() -> None:
    vote = PlateVote(frames_needed=3)
    assert told_in(vote, ["ABC1D23"] * 3 + ["ABC1D28", "ABC1D28", "ABC1D23", "C1D23"] * 20) == ["ABC1D23"]
    assert vote.finish() == []


def test_a_car_misread_from_afar_is_told_once() -> None:
    vote = PlateVote(frames_needed=3)
    texts = ["OQC1023", "ABCT023", "ABC1D23", "ABC1D23", "ABC1D23"]
    told = [car for n, text in enumerate(texts) for car in vote.add([seen(text, x=60 * n)], at=n / 5)]
    assert [car.candidates[0][0] for car in told + vote.finish()] == ["ABC1D23"]


def test_one_frame_gives_one_car_one_vote() -> None:
    vote = PlateVote(frames_needed=3)
    mirrored = [seen("ABC1D23", x=100), seen("ABC1D23", x=600)]
    assert vote.add(mirrored, at=0.0) == vote.add(mirrored, at=0.2) == []
