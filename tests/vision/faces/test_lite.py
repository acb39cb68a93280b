import io
import zipfile

import numpy as np
import pytest
import skimage.data

from doorward.vision import weights
from doorward.vision.lite import onnx_of
from doorward.vision.sessions import session

# What TensorFlow Lite's own interpreter (LiteRT 2.3.0) answers for the face below: x, y, z in pixels.
POINTS = {
    1: (128.577, 161.621, -45.388),
    33: (72.147, 102.662, 8.966),
    133: (109.232, 108.721, 1.807),
    145: (89.610, 109.010, -0.216),
    152: (122.028, 241.385, 17.603),
    159: (86.620, 96.753, -2.424),
    263: (191.387, 108.755, 7.277),
    362: (153.833, 111.391, 1.035),
    374: (173.104, 113.752, -1.515),
    386: (177.425, 101.396, -3.762),
    473: (173.113, 107.845, 0.199),
}
PRESENCE, SUM = 28.4559, 131450.2


def test_the_converted_mesh_answers_what_the_published_one_does() -> None:
    astronaut = skimage.data.astronaut()[50:178, 160:288, ::-1]  # type: ignore[no-untyped-call]
    picture = np.ascontiguousarray(astronaut.repeat(2, 0).repeat(2, 1))
    points, presence = session("face_mesh.onnx").run(["points", "presence"], {"picture": picture})
    assert points.shape == (1, 478 * 3) and presence.shape == (1, 1)
    for number, place in POINTS.items():
        np.testing.assert_allclose(points.reshape(-1, 3)[number], place, rtol=0, atol=2e-3)
    assert presence[0, 0] == pytest.approx(PRESENCE, abs=1e-3)
    assert points.sum() == pytest.approx(SUM, abs=0.5)


@pytest.mark.parametrize("part", ["face_blendshapes.tflite", "face_detector.tflite"])
def test_a_network_of_other_operators_is_refused(part: str) -> None:
    weight = next(one for one in weights.WEIGHTS if one.name == "face_mesh.onnx")
    bundle = (weights.default_carriers() / weight.source).read_bytes()
    with zipfile.ZipFile(io.BytesIO(bundle)) as parts, pytest.raises((KeyError, AssertionError)):
        onnx_of(parts.read(part), outputs=1)
