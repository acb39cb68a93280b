"""Several looks at one plate: who may veto, what twins are, and that the sums are the true ones."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from doorward.vision.plates import Region, countries, read
from doorward.vision.plates.decoding import agreement, candidates, is_clear, log_likelihoods, search
from doorward.vision.plates.detector import PlateDetection
from doorward.vision.plates.grammar import SETS, grammar_of
from doorward.vision.plates.lookalikes import mixing
from doorward.vision.plates.recogniser import CHINESE, LATIN, Reading
from doorward.vision.plates.text_lines import TextLine, joined


def look(text: str, *, sure: float = 0.97, characters: str = LATIN) -> Reading:
    """A reading that shows this text, a blank after each character."""
    steps = [number for character in text for number in (characters.index(character) + 1, 0)]
    seen = np.full((len(steps), len(characters) + 1), (1 - sure) / len(characters))
    seen[np.arange(len(steps)), steps] = sure
    mixed = seen @ mixing(characters, twins=characters == LATIN)
    return Reading(characters, np.log(seen), np.log(mixed))


def test_a_look_that_shows_a_slogan_does_not_veto() -> None:
    looks = [look("ABC1D23"), look("ABC1D23"), look("AUTOCENTER")]
    assert candidates(looks, grammar_of(Region.BR))[0].text == "ABC1D23"


def test_one_look_as_sure_as_can_be_at_something_else_does_not_outvote_two() -> None:
    looks = [look("ABC1D23", sure=0.8), look("ABC1D23", sure=0.8), look("XYZ9W88", sure=0.9999)]
    assert candidates(looks, grammar_of(Region.BR))[0].text == "ABC1D23"


def test_looking_at_the_same_plate_more_often_makes_the_reader_no_surer() -> None:
    once, twice, often = (
        candidates([look("ABC1D23", sure=0.5)] * times, grammar_of(Region.BR))[0].probability
        for times in (1, 2, 6)
    )
    assert once < twice
    assert often == pytest.approx(twice)


def test_the_majority_of_looks_decides() -> None:
    looks = [look("ABC1D23"), look("ABC1D28"), look("ABC1D23")]
    first, second = candidates(looks, grammar_of(Region.BR))[:2]
    assert (first.text, second.text) == ("ABC1D23", "ABC1D28")
    assert first.probability > 0.6


@pytest.mark.parametrize(
    ("shown", "meant", "region"),
    [
        ("QX417A0", "QX417AO", Region.EU),
        ("TVO35AJ", "TV035AJ", Region.EU),
        ("XY3751M", "XY375IM", Region.EU),
        ("A8C1DZ3", "ABC1D23", Region.BR),
        ("A5C1DS3", "ASC1D53", Region.BR),
        ("DOC1234", "DOC1234", Region.BR),
        ("ABC123O", "ABC1230", Region.BR),
        ("ABCI2B4", "ABC1284", Region.BR),
        ("7A8C123", "7ABC123", Region.US),
        ("1357924", "1357924", Region.US),
    ],
)
def test_look_alikes_are_told_apart_by_the_grammar(shown: str, meant: str, region: Region) -> None:
    assert candidates([look(shown, sure=0.9)], grammar_of(region))[0].text == meant


@pytest.mark.parametrize(("shown", "meant"), [("B", "8"), ("S", "5"), ("Z", "2"), ("D", "0")])
def test_a_letter_where_china_writes_a_digit_is_the_digit_it_looks_like(shown: str, meant: str) -> None:
    seen = candidates([look(f"京AD1234{shown}", characters=CHINESE)], grammar_of(Region.CN))
    assert seen[0].text == f"京AD1234{meant}"
    assert seen[0].probability > 0.5


def test_a_round_shape_is_as_sure_as_it_was_seen_whichever_twin_it_is() -> None:
    best = candidates([look("QX417A0")], grammar_of(Region.EU))[0]
    assert best.minimum_confidence == pytest.approx(0.97, abs=0.001)


def test_looks_agree_with_what_they_show_and_not_with_what_they_do_not() -> None:
    looks = [look("ABC1D23"), look("ABC1D23"), look("AUTOCENTER")]
    assert agreement(looks, "ABC1D23") > -0.5
    assert agreement(looks, "ABC1D2") < -3


def test_twins_cost_a_little_and_a_letter_left_out_costs_much() -> None:
    twin, cut = agreement([look("QX417A0")], "QX417AO"), agreement([look("REPAIR611")], "REPAR611")
    assert -2 < twin < -1
    assert cut < -4


def test_one_clear_look_needs_no_further_one() -> None:
    clear, blurred = [look("ABC4D67")] * 2, [look("ABC4D67", sure=0.6)] * 2
    grammar = grammar_of(Region.BR)
    assert is_clear(candidates(clear, grammar), clear)
    assert not is_clear(candidates(blurred, grammar), blurred)
    assert not is_clear((), clear)


def test_no_look_no_candidate() -> None:
    assert candidates([], grammar_of(Region.EU)) == ()


def summed_over_alignments(scores: NDArray[np.float64], text: str) -> float:
    """The definition: every path of blanks and characters that collapses to the text."""
    total = 0.0
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        kept = [step for number, step in enumerate(path) if step and (not number or path[number - 1] != step)]
        if "".join("AB"[step - 1] for step in kept) == text:
            total += float(np.exp(sum(scores[number, step] for number, step in enumerate(path))))
    return float(np.log(total))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(["A", "AB", "AA", "BA", "B"]), min_size=1))
def test_the_likelihood_of_a_text_is_the_sum_over_its_alignments(seed: int, texts: list[str]) -> None:
    heights = np.random.default_rng(seed).normal(size=(5, 3)) * 2
    scores = heights - np.logaddexp.reduce(heights, axis=1, keepdims=True)
    told = log_likelihoods(scores, texts, "AB")
    np.testing.assert_allclose(told, [summed_over_alignments(scores, text) for text in texts])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_search_never_promises_more_than_the_likelihood(seed: int) -> None:
    heights = np.random.default_rng(seed).normal(size=(16, len(LATIN) + 1)) * 3
    scores = heights - np.logaddexp.reduce(heights, axis=1, keepdims=True)
    found = search(scores, LATIN, grammar_of(Region.EU))
    for text, promised in found.items():
        assert promised <= log_likelihoods(scores, [text], LATIN)[0] + 1e-6


@pytest.mark.parametrize("twins", [True, False])
def test_mixing_keeps_probabilities(twins: bool) -> None:
    matrix = mixing(LATIN, twins=twins)
    np.testing.assert_allclose(matrix.sum(1), 1)
    assert (np.diag(matrix) > 0.5).all()
    assert matrix[0, 0] == 1


@pytest.mark.parametrize("country", sorted(countries.EUROPE))
def test_every_format_of_a_country_is_in_the_grammar_of_europe(country: str) -> None:
    patterns = grammar_of(Region.EU).patterns
    for pattern in countries.EUROPE[country].split():
        assert pattern in patterns
        assert 4 <= len(pattern) <= 9
        assert set(pattern) <= set(SETS)


def test_parts_of_one_row_become_one_line_along_it() -> None:
    left = TextLine(np.array([[0, 0], [40, 10], [38, 18], [-2, 8]], np.float32), 0.9)
    right = TextLine(np.array([[60, 15], [100, 25], [98, 33], [58, 23]], np.float32), 0.7)
    line = joined([left, right])
    np.testing.assert_allclose(line.corners, [[0, 0], [100, 25], [98, 33], [-2, 8]], atol=1.0)
    assert line.confidence == 0.7
    assert line.height == pytest.approx(8.2, abs=0.5)


def test_a_detector_of_another_make_can_take_the_place() -> None:
    def sees_nothing(image: object, *, least_confidence: float, longest_side: int) -> list[PlateDetection]:
        return []

    assert read(np.zeros((90, 90, 3), np.uint8), region=Region.EU, detector=sees_nothing) == []
