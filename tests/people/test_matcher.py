import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.people.drivers.exact_matcher import ExactMatcher
from doorward.people.rules import odd_ones_out
from tests.people.office import direction, near


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60))
def test_a_matcher_knows_exactly_those_enrolled_and_not_forgotten(deeds: list[tuple[bool, int]]) -> None:
    matcher, alive = ExactMatcher(), set[int]()
    for enrols, seed in deeds:
        if enrols:
            matcher.enrol(f"person_{seed}", direction(seed))
            alive.add(seed)
        else:
            matcher.forget(f"person_{seed}")
            alive.discard(seed)
    assert matcher.count() == len(alive)
    for seed in range(13):
        found = matcher.identify(near(seed), 0.5)
        assert found == (f"person_{seed}" if seed in alive else None)
        assert matcher.verify(f"person_{seed}", near(seed), 0.5) is (seed in alive)


def test_it_keeps_everybody_while_its_matrix_grows() -> None:
    matcher = ExactMatcher()
    for seed in range(5000):
        matcher.enrol(str(seed), direction(seed))
    assert all(matcher.identify(direction(n), 0.9) == str(n) for n in (0, 63, 64, 2047, 2048, 4999))


def test_a_forgotten_row_never_answers_however_low_the_cut() -> None:
    matcher = ExactMatcher()
    matcher.enrol("gone", direction(1))
    matcher.enrol("stays", direction(2))
    matcher.forget("gone")
    found = [matcher.identify(near(1, shot), -1.0) for shot in range(20)]
    assert {one for one in found if one} <= {"stays"}
    assert not matcher.verify("gone", direction(1), -1.0)


def test_the_nearest_besides_somebody_is_somebody_else_or_nobody() -> None:
    matcher = ExactMatcher()
    matcher.enrol("ada", direction(1))
    assert matcher.identify(near(1), 0.5, besides="ada") is None
    assert matcher.identify(near(1), -1.0, besides="ada") is None
    matcher.enrol("twin", near(1, 5))
    assert matcher.identify(direction(1), 0.5) == "ada"
    assert matcher.identify(direction(1), 0.5, besides="ada") == "twin"
    assert matcher.identify(direction(1), 0.5, besides="nobody we know") == "ada"


def test_a_template_that_would_blind_the_matcher_is_refused() -> None:
    matcher = ExactMatcher()
    matcher.enrol("ada", direction(1))
    for broken in (np.full(128, np.nan, np.float32), np.zeros(64, np.float32)):
        with pytest.raises(Invalid):
            matcher.enrol("bob", broken)
    assert matcher.identify(near(1), 0.5) == "ada"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_template_that_is_not_a_number_matches_nobody(value: float) -> None:
    matcher = ExactMatcher()
    matcher.enrol("ada", direction(1))
    broken = np.full(128, value, np.float32)
    with np.errstate(invalid="ignore"):
        assert matcher.identify(broken, 0.5) is None
        assert matcher.verify("ada", broken, 0.5) is False


def test_threads_that_enrol_and_search_at_once_see_whole_rows() -> None:
    matcher, wrong = ExactMatcher(), list[str]()

    def enrol(start: int) -> None:
        for seed in range(start, start + 150):
            matcher.enrol(str(seed), direction(seed))

    def search() -> None:
        for seed in range(300):
            found = matcher.identify(direction(seed), 0.9)
            if found is not None and found != str(seed):
                wrong.append(found)

    threads = [threading.Thread(target=enrol, args=(n,)) for n in (0, 150)] + [
        threading.Thread(target=search)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (wrong, matcher.count()) == ([], 300)


@pytest.mark.parametrize(
    ("likeness", "odd"),
    [
        ([], set()),
        ([[1.0]], set()),
        ([[1.0, 0.1], [0.1, 1.0]], {0, 1}),
        ([[1.0, 0.9], [0.9, 1.0]], set()),
        ([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]], {2}),
    ],
)
def test_photos_that_agree_with_nobody_are_odd(likeness: list[list[float]], odd: set[int]) -> None:
    assert odd_ones_out(likeness, 0.5) == odd
