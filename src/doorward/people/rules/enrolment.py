"""Whether several photos show one person, each at another moment."""

from collections.abc import Sequence

LEAST_FRAMES = 3
# Only the very same picture reaches this: saved anew it has 0.99, another of the same person at most 0.88.
SAME_PHOTO = 0.9995


def repeated(likeness: Sequence[Sequence[float]]) -> frozenset[int]:
    """Photos that are an earlier one again, which teach nothing more about the person."""
    return frozenset(b for b, row in enumerate(likeness) if any(row[a] >= SAME_PHOTO for a in range(b)))


def odd_ones_out(likeness: Sequence[Sequence[float]], cut: float) -> frozenset[int]:
    """Photos that do not agree with the photo that most agree with.

    `likeness` holds the cosine of each pair. Two camps of one photo each agree with nobody: both go.
    """
    count = len(likeness)
    agreeing = [{b for b in range(count) if a == b or likeness[a][b] >= cut} for a in range(count)]
    core = max(agreeing, key=len, default=set())
    if count > 1 and len(core) < 2:
        return frozenset(range(count))
    return frozenset(range(count)) - core
