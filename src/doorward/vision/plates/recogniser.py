"""Reads a strip: per-step character probabilities of one or more recognisers over one set of characters."""

import threading
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision import weights
from doorward.vision.plates.detector import Image
from doorward.vision.plates.grammar import EITHER, PROVINCES
from doorward.vision.sessions import session

PADDED_WIDTH = 320  # narrower strips are filled up to the width that these models were trained on
WIDEST = 640
TINY = 1e-9
CLP_CHARACTERS = 72
Scores = NDArray[np.float64]

CHINESE = sorted((EITHER - {"I"}) | set(PROVINCES) | set("学警港澳挂使领"))
LATIN = sorted(EITHER)
_reading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Recogniser:
    """One model: its file, the height it reads at, and which of its outputs are our characters."""

    model: str
    height: int
    outputs: tuple[int, ...]  # the blank first, then one for each character we ask about; -1 where unknown

    def read(self, strip: Image) -> Scores:
        """Log-probabilities (steps, 1 + characters) of a BGR strip."""
        blob = _blob(strip, self.height)
        engine = session(self.model)
        answer = engine.run(None, {engine.get_inputs()[0].name: blob})[0][0]
        known = np.array(self.outputs)
        picked = np.where(known >= 0, answer[:, np.maximum(known, 0)], 0.0)
        return np.asarray(np.log(np.maximum(picked, TINY)), np.float64)


@cache
def chinese_recognisers() -> tuple[Recogniser, ...]:
    """PP-OCRv4 and the plate model, to be summed: their mistakes differ."""
    names = weights.path("plates_cn_characters.txt").read_text(encoding="utf8").split("\n")[:CLP_CHARACTERS]
    return (
        Recogniser("text_recogniser_v4.onnx", 48, _outputs(_embedded("text_recogniser_v4.onnx"), CHINESE)),
        Recogniser("plates_cn_recogniser.onnx", 32, _outputs(["", *names], CHINESE)),
    )


@cache
def latin_recogniser() -> Recogniser:
    """PP-OCRv6 small, asked about A-Z and 0-9 only."""
    return Recogniser("text_recogniser_v6s.onnx", 48, _outputs(_embedded("text_recogniser_v6s.onnx"), LATIN))


def _embedded(model: str) -> list[str]:
    """The blank and the characters named in the model's own metadata."""
    listed: str = session(model).get_modelmeta().custom_metadata_map["character"]
    return ["", *listed.split("\n"), " "]


def _outputs(names: list[str], wanted: list[str]) -> tuple[int, ...]:
    place = {name: number for number, name in reversed(list(enumerate(names)))}
    return (0, *(place.get(character, -1) for character in wanted))


def _blob(strip: Image, height: int) -> NDArray[np.float32]:
    rows, columns = strip.shape[:2]
    width = int(np.clip(np.ceil(height * columns / max(rows, 1)), 8, WIDEST))
    scaled = cv2.resize(strip, (width, height)).astype(np.float32) / 127.5 - 1
    if width < PADDED_WIDTH:
        scaled = np.concatenate([scaled, np.zeros((height, PADDED_WIDTH - width, 3), np.float32)], 1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)
