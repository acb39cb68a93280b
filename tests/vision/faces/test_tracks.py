from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision import faces
from doorward.vision.model import Box, FaceDetection, FaceObservation, FaceProblem, FaceQuality
from doorward.vision.tracks import FaceTrack, FaceTracker, associate

boxes = st.lists(
    st.builds(Box, st.floats(0, 500), st.floats(0, 500), st.floats(1, 200), st.floats(1, 200)), max_size=8
)
FRAME = 0.1


def person(number: int) -> NDArray[np.float32]:
    template = np.random.default_rng(number).normal(size=128).astype(np.float32)
    return np.asarray(template / np.linalg.norm(template), np.float32)


def seen(
    number: int, x: float = 0, *, norm: float = 12, problem: FaceProblem | None = None, jitter: int = 0
) -> FaceObservation:
    """Person `number` at `x`; `jitter` tells frames of the same person apart by a little noise."""
    noisy = person(number) + 0.04 * np.random.default_rng(1000 + jitter).normal(size=128)
    template = np.asarray(noisy / np.linalg.norm(noisy), np.float32)
    detection = FaceDetection(Box(x, 0, 100, 120), np.zeros((5, 2), np.float32), 0.9)
    quality = FaceQuality(norm, 40, 0, 100, 120, 1, problem)
    return FaceObservation(detection, template, quality, np.zeros((112, 112, 3), np.uint8))


def told(tracker: FaceTracker, frames: Sequence[Sequence[FaceObservation]]) -> list[FaceTrack]:
    tracks = [track for at, frame in enumerate(frames) for track in tracker.add(frame, at=at * FRAME)]
    return tracks + tracker.finish()


def test_a_person_is_told_once_after_enough_frames() -> None:
    tracker = FaceTracker(frames_needed=3)
    counts = [len(tracker.add([seen(1, jitter=at)], at=at * FRAME)) for at in range(10)]
    assert counts == [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    assert tracker.finish() == []


def test_one_frame_never_counts_from_a_moving_picture() -> None:
    assert told(FaceTracker(), [[seen(1)]]) == []
    with pytest.raises(Invalid):
        FaceTracker(frames_needed=1)


def test_one_frame_counts_from_a_still_picture_each_for_itself() -> None:
    tracks = told(FaceTracker(still=True), [[seen(1)], [seen(1)], [seen(2)]])
    assert [track.frames for track in tracks] == [1, 1, 1]
    assert all(track.agreed for track in tracks)


def test_a_still_picture_of_bad_quality_tells_nobody() -> None:
    assert told(FaceTracker(still=True), [[seen(1, problem=FaceProblem.BLURRED)]]) == []


def test_whoever_leaves_early_is_told_without_agreement() -> None:
    (track,) = told(FaceTracker(frames_needed=5), [[seen(1)], [seen(1)]])
    assert (track.frames, track.agreed) == (2, False)


def test_bad_frames_keep_a_track_alive_but_never_vote() -> None:
    bad = [seen(1, problem=FaceProblem.TURNED_AWAY)]
    tracker = FaceTracker(frames_needed=3, patience_seconds=0.15)
    (track,) = told(tracker, [[seen(1)], bad, bad, bad, [seen(1)], bad, [seen(1)]])
    assert track.frames == 3


def test_two_people_who_change_places_stay_themselves() -> None:
    frames = [[seen(1, 0), seen(2, 200)], [seen(1, 90), seen(2, 110)], [seen(2, 0), seen(1, 200)]]
    tracks = told(FaceTracker(frames_needed=3), frames)
    assert len(tracks) == 2
    for track, number in zip(sorted(tracks, key=lambda one: one.number), (1, 2), strict=True):
        assert float(track.template @ person(number)) > 0.9


def test_somebody_stepping_into_anothers_place_inherits_no_vote() -> None:
    tracks = told(FaceTracker(frames_needed=3), [[seen(1)], [seen(1)], [seen(2)], [seen(2)], [seen(2)]])
    agreed = [track for track in tracks if track.agreed]
    assert len(agreed) == 1
    assert float(agreed[0].template @ person(2)) > 0.9
    assert float(agreed[0].template @ person(1)) < 0.4


def test_a_long_absence_begins_a_new_sighting() -> None:
    tracker = FaceTracker(frames_needed=2, patience_seconds=1)
    times = [0, 0.1, 0.2, 1.3, 1.4, 1.5]
    assert sum(len(tracker.add([seen(1)], at=at)) for at in times) == 2


def test_a_clock_that_jumps_back_begins_anew() -> None:
    tracker = FaceTracker(frames_needed=2, patience_seconds=1)
    assert sum(len(tracker.add([seen(1)], at=at)) for at in (1000.0, 1000.1, 3.0, 3.1)) == 2


def test_somebody_who_stays_is_judged_anew_when_asked_for() -> None:
    tracker = FaceTracker(frames_needed=2, again_seconds=1.0)
    assert sum(len(tracker.add([seen(1)], at=at * FRAME)) for at in range(25)) == 3


def test_the_new_judgement_comes_from_new_frames_alone() -> None:
    tracker = FaceTracker(frames_needed=3, again_seconds=1.0)
    told = [
        (number, track)
        for number in range(16)
        for track in tracker.add([seen(1, norm=20 - number, jitter=number)], at=number * FRAME)
    ]
    assert [number for number, _ in told] == [2, 14]
    assert [track.frames for _, track in told] == [3, 3]
    assert told[1][1].quality.norm == 20 - 12


def test_the_result_is_the_mean_of_the_best_frames() -> None:
    frames = [[seen(1, norm=10 + at, jitter=at)] for at in range(4)]
    (track,) = told(FaceTracker(frames_needed=4, best_frames=2), frames)
    best = [frames[3][0].template, frames[2][0].template]
    np.testing.assert_allclose(track.template, faces.enrol_template(best), atol=1e-6)
    assert track.quality.norm == 13
    assert track.first_seen_seconds == 0
    assert track.last_seen_seconds == pytest.approx(0.3)


@given(
    st.lists(st.lists(st.integers(0, 4), max_size=4, unique=True), max_size=12),
    st.integers(2, 4),
)
def test_nobody_is_told_who_did_not_show_in_enough_frames(frames: list[list[int]], needed: int) -> None:
    shown = [[seen(number, 150 * number) for number in frame] for frame in frames]
    tracks = told(FaceTracker(frames_needed=needed, patience_seconds=100), shown)
    for number in range(5):
        appearances = sum(number in frame for frame in frames)
        mine = [track for track in tracks if float(track.template @ person(number)) > 0.9]
        assert len(mine) == (1 if appearances >= 2 else 0)
        assert all(track.agreed == (appearances >= needed) for track in mine)


@given(boxes, boxes)
def test_association_uses_each_box_once_and_only_where_it_overlaps(
    earlier: list[Box], now: list[Box]
) -> None:
    pairs = associate(earlier, now)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(earlier[i].overlap(now[j]) >= 0.3 for i, j in pairs)
    alone_i = set(range(len(earlier))) - {i for i, _ in pairs}
    alone_j = set(range(len(now))) - {j for _, j in pairs}
    assert all(earlier[i].overlap(now[j]) < 0.3 for i in alone_i for j in alone_j)


@given(boxes)
def test_a_frame_without_movement_is_associated_with_itself(still: list[Box]) -> None:
    pairs = associate(still, still)
    assert len(pairs) == len(still)
    assert all(still[i].overlap(still[j]) == pytest.approx(1) for i, j in pairs)


@given(st.lists(boxes.filter(bool).map(lambda some: some[0]), min_size=2, max_size=2))
def test_overlap_is_mutual_and_between_nothing_and_all(pair: list[Box]) -> None:
    left, right = pair
    assert left.overlap(right) == pytest.approx(right.overlap(left))
    assert 0 <= left.overlap(right) <= 1 + 1e-9
