import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.vision.plates import Region
from doorward.vision.plates.decoding import candidates, confidences
from doorward.vision.plates.grammar import Grammar, grammar_of
from doorward.vision.plates.model import PlateCandidate
from doorward.vision.plates.recogniser import CHINESE, LATIN, Reading

Scores = NDArray[np.float64]


def spoken(text: str, *, sure: float = 0.97, gap: int = 1, characters: str = LATIN) -> Scores:
    """What a recogniser would say: each character once, blanks between, the rest evenly spread."""
    steps = [0] * gap
    for character in text:
        steps += [characters.index(character) + 1] + [0] * gap
    rest = (1 - sure) / len(characters)
    probabilities = np.full((len(steps), len(characters) + 1), rest)
    probabilities[np.arange(len(steps)), steps] = sure
    return np.asarray(np.log(probabilities), np.float64)


def decode(scores: Scores, characters: str, grammar: Grammar) -> tuple[PlateCandidate, ...]:
    return candidates([Reading(characters, scores, scores)], grammar)


def say(scores: Scores, step: int, shares: dict[str, float]) -> None:
    scores[step] = np.log(1e-6)
    for character, share in shares.items():
        scores[step, LATIN.index(character) + 1] = math.log(share)


@pytest.mark.parametrize("text", ["ABC1D23", "AAA1111", "ZZZ9Z99"])
@pytest.mark.parametrize("gap", [1, 3])
def test_a_clear_text_is_read_as_it_stands(text: str, gap: int) -> None:
    best = decode(spoken(text, gap=gap), LATIN, grammar_of(Region.BR))[0]
    assert best.text == text
    assert best.probability > 0.9
    np.testing.assert_allclose(best.character_confidences, [0.97] * 7, atol=0.001)


def test_a_chinese_plate_keeps_its_province() -> None:
    scores = spoken("京A12345", characters=CHINESE)
    assert decode(scores, CHINESE, grammar_of(Region.CN))[0].text == "京A12345"


def test_a_letter_where_a_digit_must_stand_gives_way_to_the_digit() -> None:
    scores = spoken("ABC1234")
    say(scores, 2 * 6 + 1, {"Z": 0.7, "4": 0.3})
    assert decode(scores, LATIN, grammar_of(Region.BR))[0].text == "ABC1234"


def test_two_possible_characters_give_two_candidates_in_their_proportion() -> None:
    scores = spoken("ABC1D23", sure=0.9999)
    say(scores, 2 * 6 + 1, {"3": 0.6, "8": 0.4})
    first, second = decode(scores, LATIN, grammar_of(Region.BR))[:2]
    assert (first.text, second.text) == ("ABC1D23", "ABC1D28")
    assert first.probability == pytest.approx(0.6, abs=0.01)
    assert second.probability == pytest.approx(0.4, abs=0.01)
    assert first.minimum_confidence == pytest.approx(0.6)


def test_a_character_held_over_two_steps_is_one() -> None:
    scores = np.repeat(spoken("ABC1D23", sure=0.999), 2, axis=0)
    assert decode(scores, LATIN, grammar_of(Region.BR))[0].text == "ABC1D23"


@pytest.mark.parametrize("text", ["", "AB", "ABC12345"])
def test_a_text_that_cannot_be_a_plate_gives_no_sure_candidate(text: str) -> None:
    found = decode(spoken(text, sure=0.999), LATIN, grammar_of(Region.BR))
    assert all(candidate.minimum_confidence < 0.01 or len(text) > 7 for candidate in found)
    assert all(grammar_of(Region.BR).allows(candidate.text) for candidate in found)


def test_each_confidence_is_the_height_of_its_own_peak() -> None:
    scores = spoken("AB")
    scores[1, LATIN.index("A") + 1] = math.log(0.5)
    assert confidences(Reading(LATIN, scores, scores), "AB") == pytest.approx((0.5, 0.97))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([r for r in Region if r is not Region.CN]), st.integers(0, 2**32 - 1), st.floats(0.1, 6)
)
def test_whatever_is_said_every_candidate_is_a_plate_and_shares_are_shares(
    region: Region, seed: int, sharpness: float
) -> None:
    heights = np.random.default_rng(seed).normal(size=(20, len(LATIN) + 1)) * sharpness
    scores = heights - np.logaddexp.reduce(heights, axis=1, keepdims=True)
    found = decode(scores, LATIN, grammar_of(region))
    assert len({one.text for one in found}) == len(found) <= 5
    for one in found:
        assert grammar_of(region).allows(one.text)
        assert len(one.character_confidences) == len(one.text)
        assert all(0 <= share <= 1 for share in one.character_confidences)
    shares = [one.probability for one in found]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 1e-9
