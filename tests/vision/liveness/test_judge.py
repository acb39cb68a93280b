import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.vision.liveness import (
    Challenge,
    ChallengeJudge,
    Failed,
    Failure,
    Lids,
    LivenessCue,
    Outcome,
    Passed,
    Pending,
    Step,
    new_challenge,
)
from doorward.vision.liveness.parallax import narrowing, nose_parallax
from tests.vision.liveness.tracks import (
    BLINK,
    CALM,
    COVERED,
    HEAD,
    OPEN,
    PAPER,
    SHUT,
    cue,
    person,
    seen,
    track,
    turned,
)

ALL = (Step.TURN_LEFT, Step.BLINK, Step.TURN_RIGHT)
BOTH_TURNS = (Step.TURN_LEFT, Step.TURN_RIGHT)
DONE = [*CALM, *turned(38), *BLINK, *turned(-38)]


def judged(cues: Sequence[LivenessCue], steps: tuple[Step, ...] = ALL) -> Outcome:
    judge = ChallengeJudge(Challenge(steps))
    outcomes = [judge.see(one) for one in cues]
    return outcomes[-1]


def test_a_person_who_does_every_step_in_order_passes() -> None:
    assert isinstance(judged(track(DONE)), Passed)


def test_the_person_is_told_what_to_do_next() -> None:
    judge = ChallengeJudge(Challenge(ALL))
    told = [judge.see(one) for one in track(DONE)]
    steps = [one.step for one in told if isinstance(one, Pending)]
    assert [step for number, step in enumerate(steps) if step not in steps[:number]] == [None, *ALL]
    assert all(one.prompt.endswith(".") for one in told if isinstance(one, Pending))


@pytest.mark.parametrize("steps", [(Step.TURN_RIGHT, Step.TURN_LEFT), (Step.BLINK, Step.TURN_LEFT)])
def test_another_movement_than_the_one_asked_for_fails(steps: tuple[Step, ...]) -> None:
    assert judged(track([*CALM, *turned(38)]), steps) == Failed(Failure.WRONG_STEP)


def test_lids_of_a_face_that_is_hardly_like_itself_are_no_blink() -> None:
    """A strip laid over the eyes changes what the recogniser sees far more than lids do."""
    strange = 0.6 * person(1) + 0.8 * person(2)
    strange = (strange / np.linalg.norm(strange)).astype(np.float32)
    assert 0.6 < float(strange @ person(1)) < 0.7
    blink = [*CALM, *BLINK]
    shown = [replace(one, template=strange) if one.lids == SHUT else one for one in track(blink)]
    steps = (Step.BLINK, Step.TURN_LEFT)
    assert judged(track(blink), steps) == Pending(Step.TURN_LEFT, 1)
    assert judged(shown, steps) == Pending(Step.BLINK, 0)


def test_steps_left_undone_leave_it_pending_and_then_too_late() -> None:
    assert judged(track([*CALM, *turned(38), *BLINK])) == Pending(Step.TURN_RIGHT, 2)
    assert judged(track([*CALM, *turned(38), *BLINK, *[(0.0, OPEN)] * 80])) == Failed(Failure.TOO_LATE)
    assert judged(track([(30.0, OPEN)] * 80)) == Failed(Failure.TOO_LATE)
    assert judged(track([(0.0, None)] * 80)) == Failed(Failure.TOO_LATE)


@pytest.mark.parametrize(
    "eyes",
    [
        [OPEN] * 30,
        [SHUT] * 40,
        [OPEN] * 5 + [SHUT] * 30 + [OPEN] * 5,
        [OPEN] * 5 + [SHUT] + [OPEN] * 5,
        [OPEN] * 5 + [replace(OPEN, left=SHUT.left)] * 3 + [OPEN] * 5,
        [OPEN] * 5 + [None] * 3 + [OPEN] * 5,
        [OPEN] * 5 + [Lids(0.15, 0.14, presence=12.0)] * 3 + [OPEN] * 5,
        [OPEN] * 5 + [COVERED] * 3 + [OPEN] * 5,
        [OPEN] * 5 + [COVERED] * 2 + [SHUT] * 2 + [COVERED] + [OPEN] * 5,
        [OPEN] * 5 + [replace(SHUT, presence=math.nan)] * 3 + [OPEN] * 5,
    ],
    ids=["open", "shut", "asleep", "flicker", "wink", "unseen", "half", "covered", "half-covered", "nowhere"],
)
def test_what_is_no_blink_is_not_taken_for_one(eyes: list[Lids | None]) -> None:
    cues = track([*CALM, *[(0.0, one) for one in eyes]])
    assert isinstance(judged(cues, (Step.BLINK, Step.TURN_LEFT)), Pending)


@pytest.mark.parametrize("degrees", [10.0, 18.0, 23.0])
def test_a_turn_too_small_does_not_count(degrees: float) -> None:
    assert judged(track([*CALM, *turned(degrees)]), BOTH_TURNS) == Pending(Step.TURN_LEFT, 0)


@pytest.mark.parametrize("share", [1.0, 1.3, 1.6])
def test_a_picture_that_a_detector_takes_for_a_turned_head_is_flat(share: float) -> None:
    """Even if the angle were believed, the printed nose stays in the plane of eyes and mouth."""
    angles = [yaw for yaw, _ in [*CALM, *turned(38)]]
    cues = [
        replace(cue(number / 10, angle * share, points=PAPER), yaw_degrees=angle)
        for number, angle in enumerate(angles)
    ]
    assert judged(cues, BOTH_TURNS) == Failed(Failure.FLAT)


@given(st.floats(-60, 60), st.floats(-30, 30))
def test_a_printed_nose_never_leaves_the_plane(yaw: float, pitch: float) -> None:
    assert abs(nose_parallax(seen(PAPER, 0), seen(PAPER, yaw, pitch))) < 1e-3


@given(st.floats(28, 45), st.floats(-10, 10), st.sampled_from([-1.0, 1.0]))
def test_a_real_nose_leaves_it_towards_the_turn_and_the_face_keeps_its_width(
    yaw: float, pitch: float, side: float
) -> None:
    turned_head = seen(HEAD, yaw * side, pitch)
    assert nose_parallax(seen(HEAD, 0), turned_head) * side > 0.18
    assert 0.85 < narrowing(seen(HEAD, 0), turned_head, yaw) < 1.15


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), seen(HEAD, 0)[[1, 0, 2, 4, 3]], seen(HEAD, 0) * 1e-4],
)
def test_points_that_span_no_face_have_no_parallax(
    points: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> None:
    assert math.isnan(nose_parallax(seen(HEAD, 0), points.astype(np.float32)))
    assert math.isnan(narrowing(seen(HEAD, 0), points.astype(np.float32), 0.0))


def test_another_face_in_the_middle_fails() -> None:
    cues = track(DONE)
    changed = [one if number < 12 else replace(one, template=person(2)) for number, one in enumerate(cues)]
    assert judged(changed) == Failed(Failure.OTHER_FACE)


def test_a_face_that_changes_little_by_little_fails_too() -> None:
    mixed = [person(1) * (1 - share) + person(2) * share for share in np.linspace(0, 1, 20)]
    templates = [(one / np.linalg.norm(one)).astype(np.float32) for one in mixed]
    cues = [*track(CALM), *[cue(0.6 + number / 10, template=one) for number, one in enumerate(templates)]]
    assert judged(cues) == Failed(Failure.OTHER_FACE)


@pytest.mark.parametrize("number", [3, 10, 20])
def test_a_face_out_of_sight_or_out_of_time_fails(number: int) -> None:
    cues = track(DONE)
    gap = [
        one if at < number else replace(one, at_seconds=one.at_seconds + 0.7) for at, one in enumerate(cues)
    ]
    back = [one if at != number else replace(one, at_seconds=0.0) for at, one in enumerate(cues)]
    away = [
        one if at < number else replace(one, landmarks=one.landmarks + np.float32(300))
        for at, one in enumerate(cues)
    ]
    assert judged(gap) == judged(back) == judged(away) == Failed(Failure.LOST)


NOWHERE = np.full((5, 2), np.nan, np.float32)
NOBODY = np.full(128, np.nan, np.float32)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: replace(one, at_seconds=math.nan),
        lambda one: replace(one, yaw_degrees=math.nan),
        lambda one: replace(one, landmarks=NOWHERE),
        lambda one: replace(one, template=NOBODY),
    ],
    ids=["time", "yaw", "landmarks", "template"],
)
def test_figures_that_are_none_fail(spoil: Callable[[LivenessCue], LivenessCue]) -> None:
    cues = track(DONE)
    cues[8] = spoil(cues[8])
    assert isinstance(judged(cues), Failed)


def test_time_passes_while_no_face_is_found() -> None:
    judge = ChallengeJudge(Challenge(ALL))
    assert judge.wait(0.0) == Pending(None, 0)
    assert judge.wait(7.0) == Failed(Failure.TOO_LATE)
    judge = ChallengeJudge(Challenge(ALL))
    for one in track(CALM):
        judge.see(one)
    assert isinstance(judge.wait(0.8), Pending)
    assert judge.wait(1.4) == Failed(Failure.LOST)


def test_a_verdict_stays() -> None:
    judge = ChallengeJudge(Challenge(ALL))
    for one in track(DONE):
        judge.see(one)
    assert isinstance(judge.see(cue(99.0, template=person(2))), Passed)
    failed = ChallengeJudge(Challenge(ALL))
    failed.see(cue(math.nan))
    assert all(failed.see(one) == Failed(Failure.LOST) for one in track(DONE))


def test_only_the_face_of_the_challenge_may_open() -> None:
    judge = ChallengeJudge(Challenge(ALL))
    assert not judge.is_same_face(person(1))
    for one in track(DONE):
        judge.see(one)
    assert judge.is_same_face(person(1))
    assert not judge.is_same_face(person(2))


def test_who_is_identified_is_who_looked_straight_ahead_at_the_start() -> None:
    judge = ChallengeJudge(Challenge(ALL))
    assert judge.measured() is None
    for one in track(DONE):
        judge.see(one)
    measured = judge.measured()
    assert measured
    assert measured.template == pytest.approx(person(1), abs=1e-6)
    assert measured.frames > 5


@given(
    st.lists(
        st.tuples(
            st.floats(-60, 60),
            st.sampled_from([OPEN, SHUT, COVERED, None, replace(OPEN, left=0.1)]),
            st.integers(1, 2),
        ),
        max_size=60,
    )
)
def test_a_picture_never_passes_whatever_is_claimed_of_it(
    moves: list[tuple[float, Lids | None, int]],
) -> None:
    judge = ChallengeJudge(Challenge((Step.BLINK, Step.TURN_LEFT)))
    for number, (claimed, eyes, who) in enumerate(moves):
        shown = cue(number / 10, claimed, eyes, points=PAPER, template=person(who), claimed_yaw=claimed)
        assert not isinstance(judge.see(shown), Passed)


def test_challenges_vary_and_never_repeat_a_step_in_a_row() -> None:
    drawn = {new_challenge().steps for _ in range(400)}
    assert len(drawn) == 8
    assert all({Step.TURN_LEFT, Step.TURN_RIGHT} <= set(steps) for steps in drawn)
    assert all(one != following for steps in drawn for one, following in pairwise(steps))
    only_turns = new_challenge(4, among=(Step.TURN_LEFT, Step.TURN_RIGHT)).steps
    assert Step.BLINK not in only_turns and len(only_turns) == 4
    with pytest.raises(Invalid):
        new_challenge(1)
    with pytest.raises(Invalid):
        new_challenge(2, among=(Step.BLINK, Step.TURN_LEFT))
