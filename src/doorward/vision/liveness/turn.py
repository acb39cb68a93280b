"""Watches for a turn of the head, and for one that a flat picture could have made."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness.model import LivenessCue, Step
from doorward.vision.liveness.parallax import narrowing, nose_parallax

FRONTAL_DEGREES = 12.0
TURNED_DEGREES = 24.0
TURNED_FRAMES = 2
# Below LEAST a turn gets no credit, below FLAT it is a picture's; measured in docs/presentation-attacks.md.
LEAST_PARALLAX, FLAT_PARALLAX = 0.18, 0.08
LEAST_NARROWING, FLAT_NARROWING = 0.77, 0.70
FLAT_FRAMES = 3


class Turn(Enum):
    """What a track has just done."""

    NONE = "none"
    LEFT = Step.TURN_LEFT.value
    RIGHT = Step.TURN_RIGHT.value
    FLAT = "flat"


@dataclass(slots=True)
class TurnWatch:
    """Remembers the frontal landmarks of one track and its turn so far; a turn starts from the front."""

    frontal: NDArray[np.float32]
    frontal_yaw: float
    _is_ready: bool = False
    _to: Turn = Turn.NONE
    _turned: int = 0
    _flat: int = 0

    @classmethod
    def of(cls, calm: Sequence[LivenessCue]) -> Self:
        """A watch that takes the median of calm frames as the front."""
        front = np.median([_upright(cue.landmarks) for cue in calm], axis=0)
        return cls(front.astype(np.float32), float(np.median([cue.yaw_degrees for cue in calm])))

    def see(self, cue: LivenessCue) -> Turn:
        """The turn completed with this frame, if any."""
        # A nose that is not quite in the middle shifts every angle, so a face is measured against itself.
        yaw = cue.yaw_degrees - self.frontal_yaw
        if abs(yaw) <= FRONTAL_DEGREES:
            self._is_ready, self._turned = True, 0
        to = Turn.LEFT if yaw > 0 else Turn.RIGHT
        parallax = nose_parallax(self.frontal, cue.landmarks) * (1 if to is Turn.LEFT else -1)
        narrow = narrowing(self.frontal, cue.landmarks, yaw)
        turned = abs(yaw) >= TURNED_DEGREES
        # Not "less than": NaN must count as flat.
        if not narrow >= FLAT_NARROWING or (turned and not parallax >= FLAT_PARALLAX):
            self._flat += 1
            return Turn.FLAT if self._flat >= FLAT_FRAMES else Turn.NONE
        if not (turned and self._is_ready and parallax >= LEAST_PARALLAX and narrow >= LEAST_NARROWING):
            self._turned = 0
            return Turn.NONE
        self._turned = self._turned + 1 if to is self._to else 1
        self._to = to
        if self._turned < TURNED_FRAMES:
            return Turn.NONE
        self.reset()
        return to

    def reset(self) -> None:
        """Wait for the front again."""
        self._is_ready, self._to, self._turned = False, Turn.NONE, 0


def _upright(landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks with the eyes level around the origin and 100 apart: a moving face can be averaged."""
    across = (landmarks[1] - landmarks[0]).astype(np.float64)
    distance = float(np.hypot(*across)) or 1.0
    cosine, sine = across / distance
    turn = np.array([[cosine, sine], [-sine, cosine]]) * (100.0 / distance)
    return np.asarray((landmarks - landmarks[:2].mean(axis=0)) @ turn.T, np.float32)
