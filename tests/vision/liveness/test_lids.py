import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from benchmarks._blinks import CASES, Shown, blinking, outlines
from benchmarks._presentations import eyes_shut
from doorward.core.errors import Unavailable
from doorward.vision import weights
from doorward.vision.decoding import load_image
from doorward.vision.faces import observe
from doorward.vision.liveness import Challenge, ChallengeDetector, Passed, Step
from doorward.vision.liveness.blink import CLOSED
from doorward.vision.liveness.lids import lids
from doorward.vision.model import FaceObservation

Pixels = NDArray[np.uint8]
STRIPS = [name for name in CASES if "strip" in name and "shut" not in name and "own skin" not in name]
# Photos on which we see shut eyes, by the start of their SHA-256.
SHUT = ("aff2b0b1", "3051e2bf", "39aaf5af", "e7c9f65f", "5051da0f")


@pytest.fixture(scope="module")
def photo() -> Pixels:
    shown = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.asarray(cv2.resize(shown[20:260, 100:340, ::-1], (480, 480)), np.uint8)


@pytest.fixture(scope="module")
def face(photo: Pixels) -> FaceObservation:
    return observe(photo, largest_only=True)[0]


@pytest.fixture
def no_models(tmp_path: Path) -> Iterator[None]:
    weights.use(tmp_path)
    yield
    weights.use(None)


def blink_is_credited(photo: Pixels, face: FaceObservation, name: str) -> bool:
    marks = face.detection.landmarks
    detector = ChallengeDetector(Challenge((Step.BLINK,)))
    outcome = None
    for number, frame in enumerate(
        blinking(Shown(photo, marks, (photo, marks)), name, np.random.default_rng(7))
    ):
        seen = observe(frame, largest_only=True)
        outcome = detector.see(frame, seen[0] if seen else None, number / 10)
    return isinstance(outcome, Passed)


def test_lids_drawn_shut_and_open_again_are_a_blink(photo: Pixels, face: FaceObservation) -> None:
    assert blink_is_credited(photo, face, "lids drawn shut for 0.3 s")


@pytest.mark.parametrize("name", STRIPS)
def test_a_strip_over_the_eyes_is_none(photo: Pixels, face: FaceObservation, name: str) -> None:
    assert not blink_is_credited(photo, face, name)


def test_the_further_the_lids_come_down_the_smaller_the_figure(photo: Pixels, face: FaceObservation) -> None:
    marks = face.detection.landmarks
    edges = outlines(photo, marks)
    seen = [lids(eyes_shut(photo, edges, share), marks) for share in (0.25, 0.5, 1.0)]
    figures = [one.right + one.left for one in [lids(photo, marks), *seen] if one is not None]
    assert len(figures) == 4
    assert figures == sorted(figures, reverse=True)


@pytest.mark.parametrize(("degrees", "scale"), [(0, 0.7), (15, 1.0), (-20, 0.9), (8, 0.8)])
def test_the_figure_keeps_still_while_the_head_tilts_and_moves_away(
    photo: Pixels, face: FaceObservation, degrees: float, scale: float
) -> None:
    matrix = cv2.getRotationMatrix2D((240, 240), degrees, scale)
    marks = face.detection.landmarks @ matrix[:, :2].T + matrix[:, 2]
    tilted = np.asarray(cv2.warpAffine(photo, matrix, (480, 480), flags=cv2.INTER_AREA), np.uint8)
    one, other = lids(photo, face.detection.landmarks), lids(tilted, marks.astype(np.float32))
    assert one is not None and other is not None
    assert (other.right, other.left) == pytest.approx((one.right, one.left), rel=0.12)


def test_what_is_too_small_nowhere_or_no_face_is_not_measured(photo: Pixels, face: FaceObservation) -> None:
    marks = face.detection.landmarks
    assert lids(photo, marks * np.float32(0.2)) is None
    assert lids(photo, np.full((5, 2), np.nan, np.float32)) is None
    assert lids(np.full_like(photo, 120), marks) is None
    assert lids(np.random.default_rng(1).integers(0, 256, photo.shape, np.uint8), marks) is None


@pytest.mark.usefixtures("no_models")
def test_without_the_mesh_there_is_a_sentence_that_says_what_to_do(photo: Pixels) -> None:
    marks = np.array([[180, 200], [300, 200], [240, 270], [190, 330], [290, 330]], np.float32)
    with pytest.raises(Unavailable, match=r"face_mesh\.onnx is not prepared: run `doorward models prepare`"):
        lids(photo, marks)


def _photo(path: Path) -> tuple[Pixels, FaceObservation] | None:
    image = np.asarray(
        cv2.resize(load_image(path), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8
    )
    found = observe(image, largest_only=True)
    return (image, found[0]) if found else None


def test_eyes_really_shut_measure_far_below_the_same_persons_open_ones(real_data: Path) -> None:
    files = sorted((real_data / "faces_lfw").glob("*/*.jpg"))
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest()[:8] for path in files}
    shut = [path for path in files if digests[path] in SHUT]
    assert len(shut) == len(SHUT)
    for path in shut:
        ratios = []
        ours = _photo(path)
        assert ours is not None
        down = lids(ours[0], ours[1].detection.landmarks)
        for other in (one for one in path.parent.glob("*.jpg") if digests[one] not in SHUT):
            seen = _photo(other)
            up = seen and lids(seen[0], seen[1].detection.landmarks)
            if up and down:
                ratios.append(max(down.right / up.right, down.left / up.left))
        assert float(np.median(ratios)) <= CLOSED


def test_strips_over_real_faces_are_no_blink_either(real_data: Path) -> None:
    for path in sorted((real_data / "faces_lfw").glob("*/*_0001.jpg"))[::200][:4]:
        seen = _photo(path)
        assert seen is not None
        for name in STRIPS[:4:2]:
            assert not blink_is_credited(*seen, name)
