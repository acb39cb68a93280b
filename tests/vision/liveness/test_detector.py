from collections.abc import Iterator

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from benchmarks._presentations import bent, flat, head
from doorward.vision.faces import observe
from doorward.vision.liveness import (
    Challenge,
    ChallengeDetector,
    Failed,
    Failure,
    Outcome,
    Passed,
    Pending,
    PresentationAttackDetector,
    Step,
    cues,
)
from doorward.vision.model import FaceObservation

Pixels = NDArray[np.uint8]
AWAY = [*[0.0] * 6, 15, 30, 40, 46, 46, 46]


@pytest.fixture(scope="module")
def photo() -> Pixels:
    shown = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.asarray(cv2.resize(shown[20:260, 100:340, ::-1], (480, 480)), np.uint8)


@pytest.fixture(scope="module")
def face(photo: Pixels) -> FaceObservation:
    return observe(photo, largest_only=True)[0]


def ending(detector: PresentationAttackDetector, frames: Iterator[Pixels]) -> Outcome:
    outcome: Outcome = Pending(None, 0)
    for number, frame in enumerate(frames):
        found = observe(frame, largest_only=True)
        outcome = detector.see(frame, found[0] if found else None, number / 10)
    return outcome


def test_a_head_that_turns_in_depth_passes_a_turn(photo: Pixels, face: FaceObservation) -> None:
    """To the right only: this face looks a little aside, and its made-up depth hides the other side."""
    marks = face.detection.landmarks
    seen = {yaw: head(photo, marks, -yaw) for yaw in set(AWAY)}
    detector = ChallengeDetector(Challenge((Step.TURN_RIGHT,)))
    assert isinstance(ending(detector, (seen[yaw] for yaw in AWAY)), Passed)
    assert detector.is_same_face(face.template)


@pytest.mark.parametrize("radius", [None, 2.0, 1.2])
def test_the_same_face_on_paper_does_not(photo: Pixels, radius: float | None) -> None:
    """Paper bent and turned far can feign one side (docs/presentation-attacks.md), but here not both."""
    detector = ChallengeDetector(Challenge((Step.TURN_RIGHT, Step.TURN_LEFT)))
    there_and_back = [yaw * 1.35 for yaw in [*AWAY, 30, 0]]
    wider = [*there_and_back, *(-yaw for yaw in there_and_back)]
    frames = (flat(photo, yaw) if radius is None else bent(photo, yaw, radius) for yaw in wider)
    assert not isinstance(ending(detector, frames), Passed)


def test_a_photo_held_still_runs_out_of_time(photo: Pixels) -> None:
    detector = ChallengeDetector(Challenge((Step.BLINK, Step.TURN_LEFT), step_seconds=1.0))
    assert ending(detector, (photo for _ in range(20))) == Failed(Failure.TOO_LATE)


def test_an_empty_scene_runs_out_of_time() -> None:
    detector = ChallengeDetector(Challenge((Step.BLINK, Step.TURN_LEFT), settle_seconds=1.0))
    blank = np.full((240, 320, 3), 90, np.uint8)
    assert ending(detector, (blank for _ in range(15))) == Failed(Failure.TOO_LATE)


def test_cues_carry_what_was_observed(photo: Pixels, face: FaceObservation) -> None:
    cue = cues(photo, face, 3.5)
    assert (cue.at_seconds, cue.yaw_degrees) == (3.5, face.quality.yaw_degrees)
    assert cue.lids is not None and min(cue.lids.right, cue.lids.left) > 0
