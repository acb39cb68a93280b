import math
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.vision import faces, quality
from doorward.vision.faces.measuring import measure, with_limits, yaw_degrees
from doorward.vision.model import Box, FaceDetection, FaceProblem, FaceQuality

GOOD = FaceQuality(12, 60, 0, 100, 120, 1, None)
# Millimetres, x to the right in the picture, y down, z away from the camera: a mean adult head.
HEAD = np.array([[-31, -33, 36], [31, -33, 36], [0, 0, 0], [-25, 32, 27], [25, 32, 27]], float)


def half(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA), np.uint8)


def with_dark_glasses(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    covered = image.copy()
    cv2.rectangle(covered, (180, 90), (270, 116), (10, 10, 10), -1)
    return covered


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda image: image, None),
        (lambda image: (image * 0.5).astype(np.uint8), None),
        (lambda image: cv2.resize(image, None, fx=4, fy=4), None),
        (np.zeros_like, FaceProblem.NO_FACE),
        (lambda image: image[300:], FaceProblem.NO_FACE),
        (lambda image: np.hstack([image, image]), FaceProblem.SEVERAL_FACES),
        (half, FaceProblem.TOO_SMALL),
        (lambda image: (image * 0.15).astype(np.uint8), FaceProblem.TOO_DARK),
        (lambda image: cv2.GaussianBlur(image, (0, 0), 4), FaceProblem.BLURRED),
        (with_dark_glasses, FaceProblem.LOW_UTILITY),
    ],
    ids=[
        "good",
        "dim",
        "large",
        "black",
        "no head",
        "two people",
        "far off",
        "dark",
        "blurred",
        "dark glasses",
    ],
)
def test_each_spoiled_photo_has_its_one_reason(
    astronaut: NDArray[np.uint8],
    spoil: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    problem: FaceProblem,
) -> None:
    told = quality.assess(spoil(astronaut))
    assert told.problem == problem
    assert told.accepted == (problem is None)
    assert told.advice == (problem.advice if problem else "")


def test_somebody_small_in_the_background_does_not_refuse_a_photo(astronaut: NDArray[np.uint8]) -> None:
    picture = np.zeros((512, 640, 3), np.uint8)
    picture[:, :512] = astronaut
    picture[:128, 512:] = cv2.resize(astronaut, (128, 128), interpolation=cv2.INTER_AREA)
    assert len(faces.detect(picture)) == 2
    assert quality.assess(picture).accepted


@pytest.mark.parametrize(("confidence", "problem"), [(0.7, None), (0.8, FaceProblem.SEVERAL_FACES)])
def test_something_that_hardly_looks_like_a_second_face_does_not_refuse_a_photo(
    astronaut: NDArray[np.uint8], confidence: float, problem: FaceProblem | None
) -> None:
    (face,) = faces.detect(astronaut)
    box = Box(0, 0, 0.9 * face.box.width, 0.9 * face.box.height)
    told = quality.assess(astronaut, [face, replace(face, box=box, confidence=confidence)])
    assert told.problem is problem


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        (GOOD, None),
        (replace(GOOD, visible=0.5), FaceProblem.CUT_OFF),
        (replace(GOOD, brightness=250), FaceProblem.TOO_BRIGHT),
        (replace(GOOD, yaw_degrees=50), FaceProblem.TURNED_AWAY),
        (replace(GOOD, yaw_degrees=-50), FaceProblem.TURNED_AWAY),
        (replace(GOOD, eye_distance_px=5, sharpness=1), FaceProblem.TOO_SMALL),
    ],
)
def test_the_first_cause_is_named(figures: FaceQuality, problem: FaceProblem | None) -> None:
    assert with_limits(figures, quality.AT_THE_DOOR).problem is problem


def test_a_face_half_outside_the_picture_is_cut_off(astronaut: NDArray[np.uint8]) -> None:
    (face,) = faces.detect(astronaut)
    middle = round(float(face.landmarks[2, 0]))
    half_of_it = np.ascontiguousarray(astronaut[:, middle + 8 :])
    moved = replace(
        face,
        box=replace(face.box, x=face.box.x - middle - 8),
        landmarks=face.landmarks - np.array([middle + 8, 0], np.float32),
    )
    assert quality.assess(half_of_it, [moved]).problem is FaceProblem.CUT_OFF


@pytest.mark.parametrize(("place", "visible"), [((90, 90), 1.0), ((-1, 90), 0.0), ((90, 201), 0.0)])
def test_a_landmark_that_is_guessed_outside_the_picture_spoils_the_face(
    place: tuple[float, float], visible: float
) -> None:
    landmarks = np.full((5, 2), 80, np.float32)
    landmarks[1] = place
    face = FaceDetection(Box(50, 50, 100, 100), landmarks, 0.9)
    figures = measure(face, np.zeros((112, 112, 3), np.uint8), norm=12, width=200, height=200)
    assert figures.visible == visible


def test_a_refused_face_can_still_be_shown(astronaut: NDArray[np.uint8]) -> None:
    told = quality.assess(cv2.GaussianBlur(astronaut, (0, 0), 4).astype(np.uint8))
    assert told.observation is not None
    assert told.observation.quality.problem is FaceProblem.BLURRED


def test_a_door_asks_for_less_than_enrolment() -> None:
    door, enrolment = quality.AT_THE_DOOR, quality.AT_ENROLMENT
    assert door.norm <= enrolment.norm
    assert door.eye_distance_px < enrolment.eye_distance_px
    assert door.yaw_degrees > enrolment.yaw_degrees


@given(
    st.floats(0, 20),
    st.floats(0, 200),
    st.floats(-90, 90),
    st.floats(0, 1000),
    st.floats(0, 255),
    st.floats(0, 1),
)
def test_what_enrolment_accepts_a_door_accepts(
    norm: float, eyes: float, yaw: float, sharpness: float, brightness: float, visible: float
) -> None:
    figures = FaceQuality(norm, eyes, yaw, sharpness, brightness, visible, None)
    if with_limits(figures, quality.AT_ENROLMENT).problem is None:
        assert with_limits(figures, quality.AT_THE_DOOR).problem is None


def test_figures_that_are_no_numbers_are_refused() -> None:
    figures = FaceQuality(math.nan, 40, 0, 100, 120, 1, None)
    assert with_limits(figures, quality.AT_THE_DOOR).problem is FaceProblem.LOW_UTILITY


@given(st.floats(-40, 40), st.floats(-10, 10), st.floats(-30, 30), st.floats(600, 3000))
def test_a_turned_head_is_measured_within_eight_degrees(
    yaw: float, pitch: float, roll: float, distance_mm: float
) -> None:
    landmarks = _photographed(yaw, pitch, roll, distance_mm)
    assert abs(yaw_degrees(landmarks) - yaw) < 8


@given(st.floats(5, 60))
def test_a_mirrored_face_is_turned_the_other_way(yaw: float) -> None:
    seen = _photographed(yaw, 0, 0, 800)
    mirrored = (seen * (-1, 1))[[1, 0, 2, 4, 3]].astype(np.float32)
    assert yaw_degrees(mirrored) == pytest.approx(-yaw_degrees(seen), abs=1e-3)


def test_every_problem_has_advice_in_one_sentence() -> None:
    for problem in FaceProblem:
        assert problem.advice.endswith(".")
        assert problem.advice.count(".") == 1


def _photographed(yaw: float, pitch: float, roll: float, distance_mm: float) -> NDArray[np.float32]:
    """The five landmarks as a pinhole camera sees them; yaw is positive to the person's left."""
    turn, nod, tilt = (math.radians(angle) for angle in (-yaw, pitch, roll))
    about_y = np.array([[math.cos(turn), 0, math.sin(turn)], [0, 1, 0], [-math.sin(turn), 0, math.cos(turn)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(nod), -math.sin(nod)], [0, math.sin(nod), math.cos(nod)]])
    about_z = np.array([[math.cos(tilt), -math.sin(tilt), 0], [math.sin(tilt), math.cos(tilt), 0], [0, 0, 1]])
    points = HEAD @ (about_z @ about_x @ about_y).T + (0, 0, distance_mm)
    return np.asarray(points[:, :2] / points[:, 2:] * 600 + (320, 240), np.float32)
