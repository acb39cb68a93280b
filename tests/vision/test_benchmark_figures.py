"""What the benchmarks reckon with must be right, or their limits say nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._face_statistics import Scores, Share, best_cut, told_right
from benchmarks._figures import Figure, table


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    """81 of 263 is Newcombe's own example (Statistics in Medicine 17, 1998)."""
    assert Share(hits, of).interval() == pytest.approx((low, high), abs=1e-4)


@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=200), st.floats(0, 0.5))
def test_no_more_than_the_wanted_share_reaches_a_cut(cosines: list[float], rate: float) -> None:
    scores = Scores()
    scores.add(np.array(cosines, np.float32))
    assert len(scores) == len(cosines)
    assert scores.above(scores.cut_at(rate)) <= rate * len(cosines)


def test_a_cut_counts_what_reaches_it() -> None:
    scores = Scores()
    scores.add(np.array([0.1, 0.2, 0.3, 0.4], np.float32))
    assert [scores.above(cut) for cut in (0.0, 0.25, 0.5)] == [4, 2, 0]
    assert 0.3 < scores.cut_at(0.25) <= 0.4


def test_each_fold_is_told_by_the_cut_of_the_others() -> None:
    """A cut that is right for its own fold alone must not be counted there."""
    scores = np.array([0.1, 0.6, 0.1, 0.6, 0.7, 0.9])
    same = np.array([False, True, False, True, False, True])
    folds = np.array([0, 0, 1, 1, 2, 2])
    right, cuts = told_right(scores, same, folds)
    assert cuts[2] == pytest.approx(0.35)
    assert right.tolist() == [True, True, True, True, False, True]


def test_the_best_cut_lies_between_those_it_parts() -> None:
    assert best_cut(np.array([0.2, 0.8, 0.3, 0.7]), np.array([False, True, False, True])) == 0.5


def test_the_table_says_what_was_met_and_what_was_not() -> None:
    told = table(
        [Figure("a", "1 x", "<= 2 x", True), Figure("b", "3 x", "<= 2 x", False), Figure("c", "5 ms")]
    )
    assert [line.split()[-1] for line in told.splitlines()[1:]] == ["met", "met", "ms"]
    assert told.count("NOT met") == 1
