"""Finds faces in an image and turns each into a template; the verbs of every face path."""

import numpy as np
from numpy.typing import NDArray

from doorward.vision.faces.detecting import LONGEST_SIDE, check_image, detect
from doorward.vision.faces.measuring import measure
from doorward.vision.faces.templates import align, embed, enrol_template
from doorward.vision.model import FaceDetection, FaceObservation

__all__ = [
    "LONGEST_SIDE",
    "align",
    "check_image",
    "detect",
    "embed",
    "enrol_template",
    "observe",
    "observe_detected",
]


def observe(
    image: NDArray[np.uint8], *, largest_only: bool = False, longest_side: int = LONGEST_SIDE
) -> list[FaceObservation]:
    """Every face in a BGR image with template and quality, largest first; `largest_only` saves the others."""
    found = detect(image, longest_side=longest_side)
    return [observe_detected(image, face) for face in (found[:1] if largest_only else found)]


def observe_detected(image: NDArray[np.uint8], detection: FaceDetection) -> FaceObservation:
    """One face that was already found in this image, with template and quality."""
    aligned = align(image, detection.landmarks)
    template, norm = embed(aligned)
    height, width = image.shape[:2]
    quality = measure(detection, aligned, norm=norm, width=width, height=height)
    return FaceObservation(detection, template, quality, aligned)
