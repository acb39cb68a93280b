"""What the recognisers say of a written strip, before any grammar."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.vision import weights
from doorward.vision.plates.plausibility import MOST_SMALL
from doorward.vision.plates.recogniser import LATIN, Recogniser, latin_recognisers


@pytest.fixture(scope="module", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


def written(text: str) -> NDArray[np.uint8]:
    strip = np.full((48, 40 + 26 * len(text), 3), 235, np.uint8)
    cv2.putText(strip, text, (20, 37), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3, cv2.LINE_AA)
    return strip


def spelled(scores: NDArray[np.float64]) -> str:
    best = scores.argmax(1)
    return "".join(LATIN[n - 1] for at, n in enumerate(best) if n and (not at or best[at - 1] != n))


@pytest.mark.parametrize("which", [0, 1])
def test_a_strip_is_spelled_as_it_is_written(which: int) -> None:
    assert spelled(latin_recognisers()[which].read(written("KA47TRF")).seen) == "KA47TRF"


@pytest.mark.parametrize("which", [0, 1])
def test_what_is_no_plate_character_is_a_gap_and_hands_its_probability_to_nobody(which: int) -> None:
    reader: Recogniser = latin_recognisers()[which]
    for text in ("KA-47-TRF", "KA 47 TRF", "KA.47.TRF"):
        reading = reader.read(written(text))
        np.testing.assert_allclose(np.exp(reading.seen).sum(1), 1, atol=0.02)
        np.testing.assert_allclose(np.exp(reading.weighed).sum(1), 1, atol=0.02)
        assert spelled(reading.seen) == "KA47TRF"


@pytest.mark.parametrize("which", [0, 1])
def test_small_letters_are_noticed(which: int) -> None:
    reader = latin_recognisers()[which]
    assert reader.read(written("Market 47")).small > MOST_SMALL
    assert reader.read(written("MARKET 47")).small < MOST_SMALL
