import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.vision.plates import Known, match
from doorward.vision.plates.known import CLEAN, CONFUSIONS

_KINDS = (("ABOQZ", 3), ("0185", 1), ("0185ABOZ", 1), ("0125", 2))
BR = st.builds("{}{}{}{}".format, *(st.text(kind, min_size=n, max_size=n) for kind, n in _KINDS))


@given(BR, st.sets(BR, max_size=8), st.floats(CLEAN, 1))
def test_a_clean_read_never_stands_for_another_plate(text: str, known: set[str], share: float) -> None:
    assert match([(text, share), ("ABC1D23", 1 - share)], known).text in {None, text}


@given(BR, st.sampled_from(sorted("".join(sorted(pair)) for pair in CONFUSIONS)))
def test_nor_for_its_look_alike(text: str, pair: str) -> None:
    read, other = text[:-1] + pair[0], text[:-1] + pair[1]
    assert match([(read, 0.99)], [other]) == Known(None, 0.99)


def test_a_clean_read_of_a_known_plate_is_that_plate() -> None:
    assert match([("ABC1D23", 0.99)], ["ABC1D23", "ABC1D28"]) == Known("ABC1D23", 0.99)


def test_an_unsure_read_finds_the_known_plate_among_its_candidates() -> None:
    found = match([("ABC1D28", 0.55), ("ABC1D23", 0.45)], ["ABC1D23"])
    assert found.text == "ABC1D23"
    assert found.posterior > 0.9


@pytest.mark.parametrize(("read", "known"), [("AB012CD", "ABO12CD"), ("AB1I2CD", "AB112CD")])
def test_an_unsure_read_may_be_a_look_alike(read: str, known: str) -> None:
    assert match([(read, 0.9)], [known]).text == known


@pytest.mark.parametrize("pair", ["0O", "1I", "8B", "5S", "2Z", "D0", "0Q", "OD", "OQ"])
@pytest.mark.parametrize("step", [1, -1])
def test_a_look_alike_that_was_read_faintly_too_is_the_known_plate(pair: str, step: int) -> None:
    read, known = (f"AB{character}12" for character in pair[::step])
    assert match([(read, 0.9), (known, 0.1)], [known]).text == known


@pytest.mark.parametrize("pair", ["8B", "5S", "2Z", "D0", "0Q", "OD", "OQ"])
@pytest.mark.parametrize("step", [1, -1])
def test_a_look_alike_that_was_not_read_at_all_is_not_enough(pair: str, step: int) -> None:
    """Only 0 and O, 1 and I are one shape: the others can be told apart by sight."""
    read, known = (f"AB{character}12" for character in pair[::step])
    assert match([(read, 0.9)], [known]).text is None


def test_a_faint_candidate_alone_makes_no_known_plate_of_a_stranger() -> None:
    assert match([("ABC1D27", 0.9), ("ABC1D23", 0.1)], ["ABC1D23"]).text is None


def test_characters_that_do_not_look_alike_are_not_exchanged() -> None:
    assert match([("ABC1D23", 0.9)], ["ABC1D27", "XBC1D23"]).text is None


def test_two_exchanges_are_one_too_many() -> None:
    assert match([("AB001CD", 0.9)], ["ABOO1CD"]).text is None


def test_two_known_plates_in_question_are_called_ambiguous() -> None:
    found = match([("ABC1D23", 0.5), ("ABC1D28", 0.5)], ["ABC1D23", "ABC1D28"])
    assert found.text is None
    assert found.ambiguous


@pytest.mark.parametrize("known", [[], ["XYZ9W88"]])
def test_a_stranger_is_a_stranger_and_not_ambiguous(known: list[str]) -> None:
    for candidates in ([], [("ABC1D23", 0.6), ("ABC1D28", 0.4)], [("ABC1D23", 1.0)]):
        found = match(candidates, known)
        assert found.text is None
        assert not found.ambiguous


@given(st.lists(st.tuples(BR, st.floats(0.01, 1)), max_size=4), st.sets(BR, max_size=4))
def test_a_match_is_always_one_of_the_known(candidates: list[tuple[str, float]], known: set[str]) -> None:
    found = match(candidates, known)
    assert found.text is None or found.text in known
    assert 0 <= found.posterior <= 1
