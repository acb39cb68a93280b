"""What vision says about faces: plain values in pixels and numbers, without names."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

TEMPLATE_LENGTH = 128
FaceTemplate: TypeAlias = NDArray[np.float32]
"""Shape (128,), length 1: two faces compare by their dot product."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in an image, in pixels; `x` and `y` name its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Square pixels; 0 for a box turned inside out."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def corners(self) -> NDArray[np.float32]:
        """Float32 (4, 2), clockwise from the upper left."""
        right, bottom = self.x + self.width, self.y + self.height
        return np.array([[self.x, self.y], [right, self.y], [right, bottom], [self.x, bottom]], np.float32)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (self.area + other.area - shared)


class FaceProblem(StrEnum):
    """Why a photo or frame can't stand for a person; the first that applies is the one told."""

    NO_FACE = "no-face"
    SEVERAL_FACES = "several-faces"
    TOO_SMALL = "too-small"
    CUT_OFF = "cut-off"
    TOO_DARK = "too-dark"
    TOO_BRIGHT = "too-bright"
    TURNED_AWAY = "turned-away"
    BLURRED = "blurred"
    LOW_UTILITY = "low-utility"

    @property
    def advice(self) -> str:
        """One sentence for the person at the camera."""
        return _ADVICE[self]


_ADVICE = {
    FaceProblem.NO_FACE: "No face was found: look at the camera from nearer by, in good light.",
    FaceProblem.SEVERAL_FACES: "More than one face is in the picture: only one person may stand in it.",
    FaceProblem.TOO_SMALL: "The face is too small: come nearer or use a picture with more pixels.",
    FaceProblem.CUT_OFF: "Part of the face is outside the picture: show the whole face.",
    FaceProblem.TOO_DARK: "The face is too dark: turn to the light.",
    FaceProblem.TOO_BRIGHT: "The face is too bright: move out of the glare.",
    FaceProblem.TURNED_AWAY: "The face is turned away: look straight at the camera.",
    FaceProblem.BLURRED: "The face is blurred: hold still and wipe the lens.",
    FaceProblem.LOW_UTILITY: "The face is hard to recognise: uncover it, in better light.",
}


@dataclass(frozen=True, slots=True, eq=False)
class FaceDetection:
    """One face in an image: its box, five landmarks and how sure the detector is (0 to 1).

    Landmarks: float32 (5, 2) in pixels, the person's own right eye, left eye, nose tip, right and left mouth
    corner.
    """

    box: Box
    landmarks: NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """How well a face can be recognised.

    `norm` is the recogniser's own length before normalising, the best single predictor; `yaw_degrees` is
    positive when the person looks to their left; `sharpness` is the variance of the Laplacian of the aligned
    face; `brightness` is its mean grey (0 to 255); `visible` is the part of the box inside the image, 0 to 1,
    and 0 when a landmark lies outside.
    """

    norm: float
    eye_distance_px: float
    yaw_degrees: float
    sharpness: float
    brightness: float
    visible: float
    problem: FaceProblem | None


@dataclass(frozen=True, slots=True, eq=False)
class FaceObservation:
    """One face, ready to compare; `aligned` is uint8 (112, 112, 3) BGR."""

    detection: FaceDetection
    template: FaceTemplate
    quality: FaceQuality
    aligned: NDArray[np.uint8]
