"""Is this a person or a picture of one? A challenge in random order, and cues a flat picture can't give."""

from doorward.vision.liveness.challenge import new_challenge
from doorward.vision.liveness.cues import cues
from doorward.vision.liveness.detector import ChallengeDetector
from doorward.vision.liveness.judge import ChallengeJudge
from doorward.vision.liveness.model import (
    Challenge,
    Failed,
    Failure,
    Lids,
    LivenessCue,
    Measured,
    Outcome,
    Passed,
    Pending,
    Step,
)
from doorward.vision.liveness.ports import PresentationAttackDetector

__all__ = [
    "Challenge",
    "ChallengeDetector",
    "ChallengeJudge",
    "Failed",
    "Failure",
    "Lids",
    "LivenessCue",
    "Measured",
    "Outcome",
    "Passed",
    "Pending",
    "PresentationAttackDetector",
    "Step",
    "cues",
    "new_challenge",
]
