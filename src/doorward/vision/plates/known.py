"""Matches a read to the plates that are known, with the mistakes that readers make."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# How likely one character is read as the other; pairs that look alike under dirt, screws and slant.
CONFUSIONS = {
    frozenset("0O"): 0.2,
    frozenset("0D"): 0.08,
    frozenset("0Q"): 0.1,
    frozenset("1I"): 0.2,
    frozenset("8B"): 0.08,
    frozenset("5S"): 0.08,
    frozenset("2Z"): 0.08,
    frozenset("OD"): 0.08,
    frozenset("OQ"): 0.1,
}
OTHER = 1e-4
STRANGER = 0.02  # how much of what is read belongs to vehicles that nobody registered
CLEAN = 0.98
LEAST_POSTERIOR = 0.9
MOST_EXCHANGED = 1


@dataclass(frozen=True, slots=True)
class Known:
    """The known plate behind a read, or None; `ambiguous` when two known plates come into question."""

    text: str | None
    posterior: float = 0.0
    ambiguous: bool = False


def match(candidates: Sequence[tuple[str, float]], known: Iterable[str]) -> Known:
    """Which known plate a read belongs to.

    A clean read is taken at its word: it never stands for another plate. Otherwise each known plate is
    weighed by the candidates' probabilities times the confusions that lead to them, against a stranger's.
    """
    plates = set(known)
    if not candidates:
        return Known(None)
    best, share = max(candidates, key=lambda one: one[1])
    if share >= CLEAN:
        return Known(best if best in plates else None, share)
    weights = {plate: _weight(candidates, plate) for plate in plates}
    likely = sorted(((w, plate) for plate, w in weights.items() if w > 0), reverse=True)[:2]
    if not likely:
        return Known(None)
    total = sum(weights.values()) + STRANGER * math.fsum(p for text, p in candidates if text not in plates)
    posterior = likely[0][0] / total
    if posterior >= LEAST_POSTERIOR:
        return Known(likely[0][1], posterior)
    rivals = len(likely) > 1 and likely[1][0] > 0.1 * likely[0][0]
    return Known(None, posterior, ambiguous=rivals)


def _weight(candidates: Sequence[tuple[str, float]], plate: str) -> float:
    return math.fsum(share * _likeness(text, plate) for text, share in candidates)


def _likeness(read: str, plate: str) -> float:
    """How likely this plate is read so: only look-alikes count, and at most one of them."""
    if len(read) != len(plate):
        return 0.0
    exchanged = [frozenset((a, b)) for a, b in zip(read, plate, strict=True) if a != b]
    if len(exchanged) > MOST_EXCHANGED or any(pair not in CONFUSIONS for pair in exchanged):
        return 0.0
    return math.prod(CONFUSIONS[pair] for pair in exchanged)
