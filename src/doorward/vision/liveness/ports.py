"""Where a bought presentation-attack detector can take our challenge's place."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness.model import Measured, Outcome
from doorward.vision.model import FaceObservation


class PresentationAttackDetector(Protocol):
    """Judges one presentation: made anew for each person at a door and fed every frame of that one track."""

    def see(self, image: NDArray[np.uint8], face: FaceObservation | None, at_seconds: float) -> Outcome:
        """The verdict so far; `face` is None where the tracked face was not found. Doubt never passes."""

    def measured(self) -> Measured | None:
        """Whose face this presentation showed, by which the person is then identified; None if unknown.

        A pass by one face never opens for a template that was measured at another time.
        """
