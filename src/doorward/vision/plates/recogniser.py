"""Reads a strip: the probabilities of plate characters, step by step, as one recogniser sees them."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision import weights
from doorward.vision.plates.detector import Image
from doorward.vision.plates.grammar import EITHER, PROVINCES, SPECIAL_SIGNS
from doorward.vision.plates.lookalikes import mixing
from doorward.vision.sessions import session

PADDED_WIDTH = 320  # narrower strips are filled up to the width that these models were trained on
WIDEST = 640
TINY = 1e-9
CLP_CHARACTERS = 72
CHINESE = "".join(sorted(EITHER - {"I"})) + PROVINCES + SPECIAL_SIGNS
LATIN = "".join(sorted(EITHER))
SMALL_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_SAME_IN_LOWER_CASE = frozenset("CKOPSUVWXZ")

Scores = NDArray[np.float64]
"""Shape (steps, 1 + characters), the blank first."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What one recogniser saw in one strip, as log-probabilities.

    `seen` as it said, to show how sure it was; `weighed` with look-alikes mixed, to decide; `small` is the
    highest probability of a small letter anywhere, which no plate has.
    """

    characters: str
    seen: Scores
    weighed: Scores
    small: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Recogniser:
    """One model: its file, the height it reads at, and which of its outputs stand for which character."""

    model: str
    height: int
    characters: str
    outputs: NDArray[np.intp]
    places: NDArray[np.intp]
    small: NDArray[np.intp]

    def read(self, strip: Image) -> Reading:
        """What the model says of a BGR strip (uint8).

        All that is no plate character (dots, hyphens, emblems, stickers) counts as a gap between characters:
        left out, it would hand its probability to whatever letter resembles it.
        """
        engine = session(self.model)
        answer = engine.run(None, {engine.get_inputs()[0].name: _blob(strip, self.height)})[0][0]
        told = np.zeros((len(answer), len(self.characters) + 1))
        np.add.at(told.T, self.places, answer[:, self.outputs].T)
        told[:, 0] = np.maximum(1 - told[:, 1:].sum(1), answer[:, 0])
        mixed = told @ mixing(self.characters, twins=self.characters == LATIN)
        small = float(answer[:, self.small].sum(1).max()) if len(self.small) else 0.0
        return Reading(self.characters, np.log(told + TINY), np.log(mixed + TINY), small)


@cache
def chinese_recognisers() -> tuple[Recogniser, ...]:
    """PP-OCRv4 and the plate model, to be summed: their mistakes differ."""
    names = weights.path("plates_cn_characters.txt").read_text(encoding="utf8").split("\n")[:CLP_CHARACTERS]
    return (
        _recogniser("text_recogniser_v4.onnx", 48, CHINESE, _embedded("text_recogniser_v4.onnx")),
        _recogniser("plates_cn_recogniser.onnx", 32, CHINESE, ["", *names]),
    )


@cache
def latin_recognisers() -> tuple[Recogniser, ...]:
    """PP-OCRv6 small, then PP-OCRv4; asked about A-Z and 0-9 only."""
    models = ("text_recogniser_v6s.onnx", "text_recogniser_v4.onnx")
    return tuple(_recogniser(model, 48, LATIN, _embedded(model)) for model in models)


def _recogniser(model: str, height: int, characters: str, names: list[str]) -> Recogniser:
    place = {character: number for number, character in enumerate(characters, start=1)}
    place |= {letter.lower(): place[letter] for letter in _SAME_IN_LOWER_CASE if letter in place}
    pairs = [(output, place[name]) for output, name in enumerate(names) if output and name in place]
    if "O" not in names and "O" in place:
        # A model that never learned the letter O answers with one of these.
        pairs += [(output, place["O"]) for output, name in enumerate(names) if name in ("0", "D", "Q")]
    outputs, places = (np.array(side, np.intp) for side in zip(*pairs, strict=True))
    small = np.array([output for output, name in enumerate(names) if name in SMALL_LETTERS], np.intp)
    return Recogniser(model, height, characters, outputs, places, small)


def _embedded(model: str) -> list[str]:
    """The blank and the characters named in the model's own metadata."""
    listed: str = session(model).get_modelmeta().custom_metadata_map["character"]
    return ["", *listed.split("\n"), " "]


def _blob(strip: Image, height: int) -> NDArray[np.float32]:
    rows, columns = strip.shape[:2]
    width = int(np.clip(np.ceil(height * columns / max(rows, 1)), 8, WIDEST))
    scaled = cv2.resize(strip, (width, height)).astype(np.float32) / 127.5 - 1
    if width < PADDED_WIDTH:
        scaled = np.concatenate([scaled, np.zeros((height, PADDED_WIDTH - width, 3), np.float32)], 1)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)
