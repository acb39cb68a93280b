"""The few statistics that the face benchmark prints."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the Wilson interval that holds the true share 95 times in 100."""

    hits: int
    of: int

    def interval(self) -> tuple[float, float]:
        """Lower and upper end, 0 to 1."""
        if not self.of:
            return 0.0, 1.0
        share, square = self.hits / self.of, _Z95**2
        middle = (share + square / (2 * self.of)) / (1 + square / self.of)
        spread = math.sqrt(share * (1 - share) / self.of + square / (4 * self.of**2))
        reach = _Z95 * spread / (1 + square / self.of)
        return max(0.0, middle - reach), min(1.0, middle + reach)

    def __str__(self) -> str:
        low, high = self.interval()
        share = self.hits / self.of if self.of else math.nan
        return f"{share:8.3%}  ({self.hits} of {self.of}; 95 %: {low:.3%} to {high:.3%})"


def best_cut(scores: NDArray[np.float64], same: NDArray[np.bool_]) -> float:
    """The cut that tells these pairs apart with fewest mistakes."""
    order = np.argsort(scores)
    ordered, truth = scores[order], same[order]
    # Everything above place k counts as the same person.
    right = np.cumsum(~truth) + (truth.sum() - np.cumsum(truth))
    best = int(np.argmax(right))
    above = ordered[best + 1] if best + 1 < len(ordered) else ordered[best]
    return float((ordered[best] + above) / 2)
