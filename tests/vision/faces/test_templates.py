import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.vision import faces

PLACES = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def template_of(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return faces.observe(image, largest_only=True)[0].template


def test_it_aligns_and_embeds_like_opencv(
    astronaut: NDArray[np.uint8], published: Callable[[str], str]
) -> None:
    peer = cv2.FaceRecognizerSF.create(published("face_recogniser.onnx"), "")
    (seen,) = faces.observe(astronaut)
    box = seen.detection.box
    row = np.array(
        [box.x, box.y, box.width, box.height, *seen.detection.landmarks.reshape(-1), 1], np.float32
    )
    aligned = peer.alignCrop(astronaut, row)
    assert np.abs(aligned.astype(int) - seen.aligned).max() <= 2
    expected = peer.feature(aligned).reshape(-1)
    assert float(expected @ seen.template) / np.linalg.norm(expected) > 0.9999
    assert seen.quality.norm == pytest.approx(np.linalg.norm(expected), rel=1e-2)


def test_templates_have_length_one(astronaut: NDArray[np.uint8]) -> None:
    (seen,) = faces.observe(astronaut)
    assert seen.template.shape == (128,)
    assert seen.template.dtype == np.float32
    assert np.linalg.norm(seen.template) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), 0.85),
        (lambda image: cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), 0.85),
        (lambda image: (image * 0.5).astype(np.uint8), 0.85),
        (lambda image: image[:, ::-1], 0.85),
        (lambda image: cv2.imdecode(cv2.imencode(".jpg", image, [1, 20])[1], cv2.IMREAD_COLOR), 0.85),
        (lambda image: cv2.warpAffine(image, cv2.getRotationMatrix2D((222, 120), 15, 1), (512, 512)), 0.85),
        (lambda image: np.dstack([cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)] * 3), 0.85),
    ],
    ids=["half", "fourfold", "darker", "mirrored", "jpeg", "tilted", "grey"],
)
def test_a_changed_picture_of_the_same_person_stays_alike(
    astronaut: NDArray[np.uint8], change: object, least: float
) -> None:
    assert callable(change)
    assert float(template_of(change(astronaut)) @ template_of(astronaut)) > least


@given(
    st.floats(0.5, 3),
    st.floats(-math.pi, math.pi),
    st.floats(20, 400),
    st.floats(20, 400),
)
def test_alignment_undoes_any_turn_scale_and_shift(
    scale: float, angle: float, across: float, down: float
) -> None:
    turned = PLACES @ np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    ) * scale + (across, down)
    middle = np.array([56.0, 72.0])
    x, y = middle @ np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    ) * scale + (across, down)
    image = np.zeros((1000, 1000, 3), np.uint8)
    if not (10 < x < 990 and 10 < y < 990):
        return
    cv2.circle(image, (round(x), round(y)), round(6 * scale), (255, 255, 255), -1)
    aligned = faces.align(image, turned.astype(np.float32))
    assert aligned.shape == (112, 112, 3)
    rows, columns = np.nonzero(aligned[..., 0] > 127)
    assert abs(columns.mean() - 56) < 1.6
    assert abs(rows.mean() - 72) < 1.6


def test_a_close_up_is_averaged_down_and_not_sampled() -> None:
    """A grid as fine as one pixel turns into its mean instead of into moire."""
    grid = np.zeros((2000, 2000, 3), np.uint8)
    grid[::2] = 255
    aligned = faces.align(grid, (PLACES * 16 + 100).astype(np.float32))
    assert aligned.std() < 3
    assert abs(float(aligned.mean()) - 127.5) < 3


def test_landmarks_on_one_point_or_far_outside_do_no_harm(astronaut: NDArray[np.uint8]) -> None:
    with pytest.raises(Invalid):
        faces.align(astronaut, np.full((5, 2), 7, np.float32))
    with pytest.raises(Invalid):
        faces.align(astronaut, np.full((5, 2), np.nan, np.float32))
    with pytest.raises(Invalid):
        faces.align(astronaut, np.array([[0, 0], [9, 9], [0, 9], [9, 0], [4.5, 4.5]], np.float32)[::-1] * 1e5)
    outside = faces.align(astronaut, (PLACES * 9 + 90_000).astype(np.float32))
    assert not outside.any()


def test_only_an_aligned_face_can_be_embedded() -> None:
    with pytest.raises(Invalid):
        faces.embed(np.zeros((111, 112, 3), np.uint8))


def test_an_enrolled_template_is_the_mean_of_length_one() -> None:
    first, second = np.eye(128, dtype=np.float32)[:2]
    mean = faces.enrol_template([first, second])
    np.testing.assert_allclose(mean[:3], [math.sqrt(0.5), math.sqrt(0.5), 0], atol=1e-6)
    assert mean.dtype == np.float32
    for unusable in ([], [first, -first], [first[:64]]):
        with pytest.raises(Invalid):
            faces.enrol_template(unusable)


def test_many_threads_get_the_same_answers(astronaut: NDArray[np.uint8]) -> None:
    small = np.asarray(cv2.resize(astronaut, (256, 256)), np.uint8)
    pictures = [astronaut, small] * 6
    alone = [template_of(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(template_of, pictures))
    np.testing.assert_array_equal(together, alone)
