"""What a thief tries on numbers. Each attack says how far from chance it came, in standard deviations."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from doorward.matching.blocks import Cells, centred
from doorward.matching.parameters import MODULUS
from doorward.matching.ring import Words, inverse

Table = NDArray[np.float64]

BY_CHANCE: Final = 5.0
"""No attack on ciphertext may come further: each of some hundred tries in a run would once in millions."""
SURE: Final = 25.0
BINS: Final = 256
RIDGE: Final = 1e-3


def undone(cells: Cells) -> Cells:
    """With the transform undone, which is public: a row is then one person's."""
    words = np.where(cells < 0, cells + MODULUS, cells).astype(np.uint32)
    inverse(words)
    return centred(words)


def polynomials(words: Words) -> Cells:
    """Rows of an answer as polynomials: a coefficient is then one person's."""
    columns = words.T.copy()
    inverse(columns)
    return np.ascontiguousarray(centred(columns).T)


def apart(one: Cells, other: Cells) -> Cells:
    """The difference mod q, centred."""
    return centred(np.mod(one.astype(np.int64) - other, MODULUS).astype(np.uint32))


def uneven(numbers: NDArray[Any]) -> float:
    """Whether numbers mod q are not uniform: the worst of chi-square over sizes and over low bits."""
    words = np.mod(numbers.astype(np.int64), MODULUS).reshape(-1)
    return max(_chi_square(words * BINS // MODULUS), _chi_square(words % BINS))


def paired(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Whether rows go with the rows at their place, more than over all ways to pair them (Hoeffding 1951)."""
    likeness = _unit(left) @ _unit(right).T
    rows, columns = likeness.mean(1, keepdims=True), likeness.mean(0, keepdims=True)
    spread = likeness - rows - columns + likeness.mean()
    count = len(likeness)
    deviation = np.sqrt((spread**2).sum() / (count - 1))
    return float((np.trace(likeness) - likeness.sum() / count) / deviation)


def learnt(numbers: NDArray[Any], facts: NDArray[Any], *, known: int) -> float:
    """Least squares from stolen numbers to facts by the first, known pairs; whether it tells the rest."""
    inputs, outputs = _standard(numbers), np.atleast_2d(facts.astype(np.float64).T).T
    outputs = outputs - outputs[:known].mean(0)
    guess = inputs[known:] @ _solved(inputs[:known], outputs[:known])
    if outputs.shape[1] > 1:
        return paired(guess, outputs[known:])
    line = guess[:, 0] - guess.mean()
    other = outputs[known:, 0] - outputs[known:, 0].mean()
    return float(line @ other / np.sqrt((line**2).sum() * (other**2).sum()) * np.sqrt(len(line)))


def solved_for(faces: NDArray[Any], scores: NDArray[Any], face: NDArray[Any]) -> float:
    """The face that these numbers would be scores of, and how like it comes to the true one, in sigmas."""
    middle = scores.astype(np.float64) - scores.mean()
    guess = _solved(faces.astype(np.float64), middle.reshape(-1, 1) / max(middle.std(), 1e-12))[:, 0]
    return float(guess @ face / np.linalg.norm(guess) * np.sqrt(len(face)))


def _chi_square(places: NDArray[np.int64]) -> float:
    counts = np.bincount(places, minlength=BINS)
    expected = len(places) / BINS
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    return float((chi_square - (BINS - 1)) / np.sqrt(2 * (BINS - 1)))


def _solved(inputs: Table, outputs: Table) -> Table:
    gram = inputs.T @ inputs
    found: Table = np.linalg.solve(
        gram + RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram)), inputs.T @ outputs
    )
    return found


def _standard(numbers: NDArray[Any]) -> Table:
    table = numbers.astype(np.float64)
    standard: Table = (table - table.mean(0)) / np.maximum(table.std(0), 1e-12)
    return standard


def _unit(rows: NDArray[Any]) -> Table:
    table = rows.astype(np.float64)
    unit: Table = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    return unit
