"""Watches for both eyes closing and opening again, against how open this face's eyes usually are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from doorward.vision.liveness.model import LivenessCue

# Of pictures shaken by hand, 1 in 100 frames fell to 0.80 (docs/presentation-attacks.md).
CLOSED, OPEN = 0.70, 0.82
FRONTAL_DEGREES = 15.0
CLOSED_FRAMES = 2
LONGEST_SECONDS = 1.8


@dataclass(slots=True)
class BlinkWatch:
    """Remembers the open eyes of one track and since when they have been closed."""

    usual: tuple[float, float]
    _closed_since: float | None = None
    _closed_frames: int = 0
    _was_open: bool = False

    @classmethod
    def of(cls, calm: Sequence[LivenessCue]) -> Self:
        """A watch that takes the median of calm frames as open."""
        measured = np.array([cue.eye_openness for cue in calm if cue.eye_openness is not None])
        right, left = np.median(measured, axis=0)
        return cls((float(right), float(left)))

    def see(self, cue: LivenessCue) -> bool:
        """Whether both eyes have just opened again after having been closed, for frames but not for long."""
        if cue.eye_openness is None or abs(cue.yaw_degrees) > FRONTAL_DEGREES:
            self.reset()
            return False
        shares = [
            now / usual if usual > 0 else 1.0 for now, usual in zip(cue.eye_openness, self.usual, strict=True)
        ]
        if max(shares) <= CLOSED and self._was_open:
            self._closed_since = cue.at_seconds if self._closed_since is None else self._closed_since
            self._closed_frames += 1
            return False
        if min(shares) < OPEN:
            return False
        blinked = self._is_blink(cue.at_seconds)
        self.reset()
        self._was_open = True
        return blinked

    def reset(self) -> None:
        """Forget what the eyes did, not how they usually are."""
        self._closed_since, self._closed_frames, self._was_open = None, 0, False

    def _is_blink(self, at_seconds: float) -> bool:
        if self._closed_since is None or self._closed_frames < CLOSED_FRAMES:
            return False
        return at_seconds - self._closed_since <= LONGEST_SECONDS
