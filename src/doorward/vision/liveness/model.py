"""The words of presentation-attack detection (ISO/IEC 30107-3) as this room uses them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import FaceTemplate


class Step(StrEnum):
    """One thing the person is asked to do; left and right are the person's own."""

    BLINK = "blink"
    TURN_LEFT = "turn-left"
    TURN_RIGHT = "turn-right"

    @property
    def prompt(self) -> str:
        """What to show the person."""
        return _PROMPTS[self]


_PROMPTS = {
    Step.BLINK: "Look straight ahead, close both eyes for a moment and open them.",
    Step.TURN_LEFT: "Look straight ahead, then turn your head to your left.",
    Step.TURN_RIGHT: "Look straight ahead, then turn your head to your right.",
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """Steps in order, each within `step_seconds`, after a calm look within `settle_seconds`."""

    steps: tuple[Step, ...]
    step_seconds: float = 6.0
    settle_seconds: float = 6.0


@dataclass(frozen=True, slots=True)
class Lids:
    """How far the lids are apart, as a share of the eye's width; comparable within a track only.

    `presence` is how surely the mesh saw a face, a logit: what covers a part of the face lowers it.
    """

    right: float
    left: float
    presence: float


@dataclass(frozen=True, slots=True, eq=False)
class LivenessCue:
    """What one frame says of one tracked face.

    `landmarks` as in `FaceDetection`; `yaw_degrees` positive to the person's left; `lids` None if not to be
    told.
    """

    at_seconds: float
    yaw_degrees: float
    lids: Lids | None
    landmarks: NDArray[np.float32]
    template: FaceTemplate


class Failure(StrEnum):
    """Why a challenge ended without a pass."""

    TOO_LATE = "too-late"
    WRONG_STEP = "wrong-step"
    LOST = "lost"
    OTHER_FACE = "other-face"
    FLAT = "flat"

    @property
    def sentence(self) -> str:
        """What to show the person."""
        return _SENTENCES[self]


_SENTENCES = {
    Failure.TOO_LATE: "That took too long: start again, or use your card.",
    Failure.WRONG_STEP: "That was another movement than the one asked for: start again.",
    Failure.LOST: "The face was out of sight for a moment: start again and stay in view.",
    Failure.OTHER_FACE: "The face changed: one person must do the whole check alone.",
    Failure.FLAT: "The movement could not be told from a picture's: start again, or use your card.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Whose face did the challenge: the mean of its calm frames, which `frames` frames in all agreed with."""

    template: FaceTemplate
    frames: int


@dataclass(frozen=True, slots=True)
class Pending:
    """More frames are needed; `step` is the one to do now, None while a straight look is wanted."""

    step: Step | None
    steps_done: int

    @property
    def prompt(self) -> str:
        """What to show the person."""
        return self.step.prompt if self.step else "Look straight at the camera and hold still."


@dataclass(frozen=True, slots=True)
class Passed:
    """Every step was done in order by one face that did not move like a flat picture."""

    at_seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No pass; a new challenge is needed."""

    failure: Failure


Outcome: TypeAlias = Pending | Passed | Failed
