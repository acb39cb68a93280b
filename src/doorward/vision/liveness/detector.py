"""Our own presentation-attack detector: a challenge, watched frame by frame."""

import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness.cues import cues
from doorward.vision.liveness.judge import ChallengeJudge
from doorward.vision.liveness.model import Challenge, Measured, Outcome
from doorward.vision.model import FaceObservation, FaceTemplate


class ChallengeDetector:
    """Answers the port with a challenge; one object per presentation."""

    def __init__(self, challenge: Challenge) -> None:
        self._judge = ChallengeJudge(challenge)

    def see(self, image: NDArray[np.uint8], face: FaceObservation | None, at_seconds: float) -> Outcome:
        """The verdict so far; a frame without the tracked face only lets time pass."""
        if face is None:
            return self._judge.wait(at_seconds)
        return self._judge.see(cues(image, face, at_seconds))

    def measured(self) -> Measured | None:
        """The calm look at the start, and how many frames were alike to it."""
        return self._judge.measured()

    def is_same_face(self, template: FaceTemplate) -> bool:
        """Whether a template is of the face that did the challenge: only such a one may open."""
        return self._judge.is_same_face(template)
