"""Watches for both eyes closing and opening again, against how open this face's eyes usually are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from doorward.vision.liveness.model import Lids, LivenessCue
from doorward.vision.model import FaceTemplate

# Shares of what is usual for this face (docs/presentation-attacks.md).
CLOSED, OPEN = 0.40, 0.82
# What is laid over the eyes makes the mesh less sure of a face, and the face less like itself, than lids do.
LEAST_PRESENCE, LEAST_LIKENESS = 0.75, 0.70
FRONTAL_DEGREES = 15.0
CLOSED_FRAMES = 2
LONGEST_SECONDS = 1.8


@dataclass(slots=True)
class BlinkWatch:
    """Remembers the open eyes of one track and since when they have been closed."""

    usual: Lids
    face: FaceTemplate
    _closed_since: float | None = None
    _closed_frames: int = 0
    _was_open: bool = False

    @classmethod
    def of(cls, calm: Sequence[LivenessCue]) -> Self:
        """A watch that takes the median of calm frames as open."""
        seen = [cue.lids for cue in calm if cue.lids is not None]
        right, left, presence = np.median([(one.right, one.left, one.presence) for one in seen], axis=0)
        face = np.mean([cue.template for cue in calm], axis=0)
        return cls(Lids(float(right), float(left), float(presence)), face / np.linalg.norm(face))

    def see(self, cue: LivenessCue) -> bool:
        """Whether both eyes have just opened again after having been closed, for frames but not for long."""
        if cue.lids is None or abs(cue.yaw_degrees) > FRONTAL_DEGREES or self._is_covered(cue):
            self.reset()
            return False
        shares = cue.lids.right / self.usual.right, cue.lids.left / self.usual.left
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

    def _is_covered(self, cue: LivenessCue) -> bool:
        # Not "less than": NaN must count as covered.
        assert cue.lids is not None
        surely = cue.lids.presence >= LEAST_PRESENCE * self.usual.presence
        return not (surely and float(np.dot(self.face, cue.template)) >= LEAST_LIKENESS)

    def _is_blink(self, at_seconds: float) -> bool:
        if self._closed_since is None or self._closed_frames < CLOSED_FRAMES:
            return False
        return at_seconds - self._closed_since <= LONGEST_SECONDS
