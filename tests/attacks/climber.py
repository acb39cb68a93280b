"""Rebuilds an enrolled face from nothing but yes and no.

Once a face is accepted, walks from it in many directions to where yes turns into no: each such point has the
same cosine with the enrolled face, which is one linear equation about it.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Face = NDArray[np.float32]
Oracle = Callable[[Face], bool | None]
"""Whether a face is accepted; None once no more may be asked."""
HALVINGS = 7
WIDEST = 1.4  # radians


def climbed(oracle: Oracle, start: Face, directions: int) -> Face:
    """The best guess after so many directions, or after what the oracle allowed; `start` must be accepted."""
    chance, edge = np.random.default_rng(11), [start]
    for _ in range(directions):
        across = chance.normal(size=len(start))
        across -= (across @ start) * start
        across /= np.linalg.norm(across)
        found = _edge(oracle, start, across)
        if found is None:
            break
        edge.append(found)
    rows = np.stack(edge[1:] or edge).astype(np.float64)
    guess = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
    return np.asarray(guess / np.linalg.norm(guess), np.float32)


def _edge(oracle: Oracle, start: Face, across: NDArray[np.float64]) -> Face | None:
    low, high = 0.0, WIDEST
    for _ in range(HALVINGS):
        angle = (low + high) / 2
        said = oracle(_turned(start, across, angle))
        if said is None:
            return None
        low, high = (angle, high) if said else (low, angle)
    return _turned(start, across, (low + high) / 2)


def _turned(start: Face, across: NDArray[np.float64], angle: float) -> Face:
    face = np.cos(angle) * start + np.sin(angle) * across
    return np.asarray(face / np.linalg.norm(face), np.float32)
