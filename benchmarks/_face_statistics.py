"""The few statistics that the benchmarks print."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959964
_BINS = 40_000


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the Wilson interval that holds the true share 95 times in 100."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.hits / self.of if self.of else math.nan

    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0 to 1."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.hits / self.of, _Z95**2
        middle = (share + square / (2 * self.of)) / (1 + square / self.of)
        spread = math.sqrt(share * (1 - share) / self.of + square / (4 * self.of**2))
        reach = _Z95 * spread / (1 + square / self.of)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def short(self) -> str:
        """The same in a table."""
        low, high = self.interval()
        return f"{self.value:.2%} (95 %: {low:.2%} to {high:.2%})"

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:8.3%}  ({self.hits} of {self.of}; 95 %: {low:.3%} to {high:.3%})"


class Scores:
    """Cosines counted in fine bins: hundreds of millions of pairs fit in no list."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)

    def add(self, cosines: NDArray[np.float32]) -> None:
        """Count them."""
        counts, _ = np.histogram(cosines, bins=_BINS, range=(-1.0001, 1.0001))
        self._counts += counts

    def __len__(self) -> int:
        return int(self._counts.sum())

    def above(self, cut: float) -> int:
        """How many reach it, to the width of a bin."""
        return int(self._counts[round((cut + 1.0001) / 2.0002 * _BINS) :].sum())

    def cut_at(self, rate: float) -> float:
        """The least cut that at most this share reaches."""
        from_above = np.cumsum(self._counts[::-1])
        place = int(np.searchsorted(from_above, rate * len(self), side="right"))
        return 1.0001 - place * 2.0002 / _BINS


def best_cut(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The cut that tells these pairs apart with fewest mistakes."""
    order = np.argsort(scores)
    ordered, truth = scores[order], same[order]
    # Everything above place k counts as the same person.
    right = np.cumsum(~truth) + (truth.sum() - np.cumsum(truth))
    best = int(np.argmax(right))
    above = ordered[best + 1] if best + 1 < len(ordered) else ordered[best]
    return float((ordered[best] + above) / 2)


def told_right(
    scores: NDArray[np.float64], same: NDArray[np.bool_], folds: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], dict[int, float]]:
    """Which pairs are told right, each with the cut that was best on the other folds; those cuts."""
    right, cuts = np.zeros(len(scores), bool), {}
    for fold in np.unique(folds):
        here = folds == fold
        others = ~here if (~here).any() else here
        cuts[int(fold)] = best_cut(scores[others], same[others])
        right[here] = (scores[here] > cuts[int(fold)]) == same[here]
    return right, cuts


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Between what 95 of 100 values lie."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
