from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.vision import weights
from doorward_edge.checking import WORKS, check_all
from doorward_edge.config import load_config
from tests.edge.http_server import make_certificate
from tests.edge.test_cli import PLAIN, write
from tests.edge.world import AGENT_KEY


@pytest.fixture
def without_mesh(tmp_path: Path) -> Iterator[None]:
    """A models folder in which the one file that a challenge needs more is missing."""
    whole = weights.prepare().folder
    part = tmp_path / "models"
    part.mkdir()
    for place in whole.iterdir():
        if place.name != "face_mesh.onnx":
            (part / place.name).symlink_to(place)
    weights.use(part)
    yield
    weights.use(None)


@pytest.mark.parametrize("challenge", [True, False])
@pytest.mark.usefixtures("without_mesh")
def test_a_camera_that_asks_for_a_challenge_needs_its_model_too(tmp_path: Path, challenge: bool) -> None:
    camera = f'\n[camera]\nsource = "/no/such/video.mp4"\nchallenge = {str(challenge).lower()}\n'
    make_certificate(tmp_path, "ours")
    config = load_config(write(tmp_path / "gate.toml", PLAIN + camera))
    told = dict(check_all(config, AGENT_KEY))["models"]
    assert (told == WORKS) is not challenge
    assert not challenge or "doorward models prepare" in told
