import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.vision.plates import Region, normalise
from doorward.vision.plates.grammar import SETS, grammar_of


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (Region.CN, "京A12345"),
        (Region.CN, "皖AD12345"),  # new energy, small cars
        (Region.CN, "粤B12345D"),  # new energy, large ones
        (Region.CN, "京O12345"),  # official cars have an O in the second place
        (Region.BR, "ABC1234"),
        (Region.BR, "ABC1D23"),
        (Region.EU, "AB12CDE"),
        (Region.EU, "AB123CD"),
        (Region.EU, "1234BCD"),
        (Region.US, "7ABC123"),
        (Region.LATIN, "AB12"),
    ],
)
def test_each_region_allows_its_plates(region: Region, text: str) -> None:
    assert grammar_of(region).allows(text)


@pytest.mark.parametrize(
    ("region", "text"),
    [
        (Region.CN, "A京88731"),
        (Region.CN, "京AI8731"),  # neither I nor O among the last five
        (Region.CN, "京A8O731"),
        (Region.CN, "京A8873"),
        (Region.BR, "AB12345"),
        (Region.BR, "ABC12D3"),
        (Region.BR, "ABC123"),
        (Region.EU, "ABCDEFG"),
        (Region.US, "ABCD"),
        (Region.LATIN, "ABC"),
        (Region.LATIN, ""),
    ],
)
def test_and_no_others(region: Region, text: str) -> None:
    assert not grammar_of(region).allows(text)


@given(st.sampled_from(list(Region)), st.data())
def test_whatever_a_format_spells_is_a_plate(region: Region, data: st.DataObject) -> None:
    grammar = grammar_of(region)
    pattern = data.draw(st.sampled_from(grammar.patterns))
    text = "".join(data.draw(st.sampled_from(sorted(SETS[kind]))) for kind in pattern)
    assert grammar.allows(text)
    assert grammar.log_prior(text) > -math.inf
    assert normalise(text, region) == text


def test_usual_formats_weigh_more() -> None:
    europe = grammar_of(Region.EU)
    assert europe.log_prior("AB12CDE") > europe.log_prior("ABC12D")
    assert grammar_of(Region.EU).log_prior("ABCDEFG") == -math.inf


def test_a_text_of_ones_own_choice_weighs_little() -> None:
    states = grammar_of(Region.US)
    assert states.log_prior("7ABC123") > states.log_prior("ABC12D") > states.log_prior("DOORWAY")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("abc-1d23", "ABC1D23"),
        (" ABC 1234 ", "ABC1234"),
        ("京A·12345", "京A12345"),
        ("ＡＢＣ１２３４", "ABC1234"),
        ("AB_12", "AB12"),
    ],
)
def test_one_plate_has_one_form(written: str, form: str) -> None:
    assert normalise(written) == form


@pytest.mark.parametrize("written", ["", "A", "ABCDEFGHIJK", "ABC12é", "ДA1234", "--", "AB;DROP TABLE"])
def test_what_no_plate_can_be_is_refused(written: str) -> None:
    with pytest.raises(Invalid, match="2 to 10 letters"):
        normalise(written)


@given(st.text("ABCIOZ0189", min_size=2, max_size=10), st.sampled_from(["", " ", "-", "·"]))
def test_separators_and_case_change_nothing(text: str, separator: str) -> None:
    assert normalise(separator.join(text.lower())) == text
    assert normalise(normalise(text)) == normalise(text)
