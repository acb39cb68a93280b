"""Whether several photos show one person."""

from collections.abc import Sequence

LEAST_FRAMES = 3


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
