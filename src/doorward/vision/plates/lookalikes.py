"""Which characters look alike on plates, and how readily one is taken for the other."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Twins are one shape: a recogniser tells them apart by habit, not by sight, so the grammar must.
TWINS = {"0": "O", "O": "0", "1": "I", "I": "1"}
_TWIN_SHARE = {"0O": 0.2, "1I": 0.2}
# Pairs that dirt, screws, slant and few pixels turn into one another.
_SIMILAR_SHARE = {
    "8B": 0.03,
    "5S": 0.03,
    "2Z": 0.03,
    "0D": 0.02,
    "0Q": 0.05,
    "OQ": 0.05,
    "OD": 0.03,
    "6G": 0.02,
    "VY": 0.01,
    "UV": 0.01,
    "17": 0.01,
    "T7": 0.01,
    "MN": 0.005,
    "4A": 0.005,
    "38": 0.005,
    "HN": 0.005,
}


@cache
def mixing(characters: str, *, twins: bool) -> NDArray[np.float64]:
    """The square matrix that spreads each character's probability over what it may be mistaken for.

    Rows sum to one; the blank comes first. Without `twins` only the similar pairs of digits and letters that
    both occur in China are mixed.
    """
    place = {character: number for number, character in enumerate(characters, start=1)}
    shares = _TWIN_SHARE | _SIMILAR_SHARE if twins else {"8B": 0.01, "5S": 0.01, "2Z": 0.01, "0D": 0.02}
    matrix = np.eye(len(characters) + 1)
    for (one, other), share in ((tuple(pair), share) for pair, share in shares.items()):
        if one in place and other in place:
            matrix[place[one], place[other]] += share
            matrix[place[other], place[one]] += share
    return np.asarray(matrix / matrix.sum(1, keepdims=True))
