from collections.abc import Callable

import cv2
import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision import faces


def test_it_finds_the_face_where_it_is(astronaut: NDArray[np.uint8]) -> None:
    (face,) = faces.detect(astronaut)
    assert face.confidence > 0.9
    right_eye, left_eye, nose, right_mouth, left_mouth = face.landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
    np.testing.assert_allclose(right_eye, (200, 102), atol=4)


@pytest.mark.parametrize("size", [(512, 512), (640, 480), (333, 257), (200, 310)])
def test_it_decodes_like_opencv(
    astronaut: NDArray[np.uint8], size: tuple[int, int], published: Callable[[str], str]
) -> None:
    image = np.asarray(cv2.resize(astronaut, size), np.uint8)
    peer = cv2.FaceDetectorYN.create(published("face_detector.onnx"), "", size, 0.6, 0.3, 5000)
    _, expected = peer.detect(image)
    (face,) = faces.detect(image)
    box = face.box
    np.testing.assert_allclose([box.x, box.y, box.width, box.height], expected[0][:4], atol=1e-3)
    np.testing.assert_allclose(face.landmarks.reshape(-1), expected[0][4:14], atol=1e-3)
    assert face.confidence == pytest.approx(expected[0][14], abs=1e-4)


@pytest.mark.parametrize("factor", [0.5, 2, 6])
def test_a_scaled_picture_gives_the_face_at_the_scaled_place(
    astronaut: NDArray[np.uint8], factor: float
) -> None:
    (small,) = faces.detect(astronaut)
    scaled = np.asarray(cv2.resize(astronaut, None, fx=factor, fy=factor), np.uint8)
    face = faces.detect(scaled)[0]
    np.testing.assert_allclose(face.landmarks / factor, small.landmarks, atol=6)


def test_two_people_come_largest_first(astronaut: NDArray[np.uint8]) -> None:
    small = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    beside = np.zeros((512, 768, 3), np.uint8)
    beside[:256, :256], beside[:, 256:] = small, astronaut
    first, second = faces.detect(beside)
    assert first.box.area > second.box.area
    assert first.box.x > 256 > second.box.x


@pytest.mark.parametrize("name", ["coffee", "chelsea", "rocket", "hubble_deep_field", "page", "brick"])
def test_pictures_without_people_have_no_face(name: str) -> None:
    picture = getattr(skimage.data, name)()
    colour = picture if picture.ndim == 3 else np.dstack([picture] * 3)
    assert faces.detect(np.ascontiguousarray(colour[..., 2::-1])) == []


@pytest.mark.parametrize("shape", [(1, 1), (20, 5000), (5000, 20), (31, 33), (2, 640), (641, 3)])
def test_odd_sizes_are_searched_without_complaint(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert faces.detect(noise) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 255))
def test_a_plain_colour_has_no_face(height: int, width: int, grey: int) -> None:
    assert faces.detect(np.full((height, width, 3), grey, np.uint8)) == []


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((8, 0, 3), np.uint8),
    ],
    ids=["grey", "one channel", "four channels", "floats", "no rows", "no columns"],
)
def test_what_is_no_colour_picture_is_refused(image: NDArray[np.uint8]) -> None:
    with pytest.raises(Invalid):
        faces.observe(image)


def test_a_view_into_a_larger_picture_is_read_right(astronaut: NDArray[np.uint8]) -> None:
    mirrored = astronaut[:, ::-1]
    assert len(faces.observe(mirrored)) == 1
