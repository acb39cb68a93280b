"""The enrolment gate: one clear reason for every photo that is refused."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from doorward.vision.faces import detect, observe_detected
from doorward.vision.faces.measuring import AT_ENROLMENT, AT_THE_DOOR, Limits, with_limits
from doorward.vision.model import FaceDetection, FaceObservation, FaceProblem

__all__ = ["AT_ENROLMENT", "AT_THE_DOOR", "Assessment", "Limits", "assess", "judge"]

# A second face counts when it is sure and not just somebody in the background.
_SURE = 0.75
_BACKGROUND = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What the gate says of one photo: the face to enrol, or the one problem that refuses it."""

    problem: FaceProblem | None
    observation: FaceObservation | None

    @property
    def accepted(self) -> bool:
        """Whether this photo may stand for the person."""
        return self.problem is None and self.observation is not None

    @property
    def advice(self) -> str:
        """One sentence for the person, empty when the photo is good."""
        return self.problem.advice if self.problem else ""


def assess(
    image: NDArray[np.uint8],
    detections: Sequence[FaceDetection] | None = None,
    *,
    limits: Limits = AT_ENROLMENT,
) -> Assessment:
    """Judges one photo (BGR, uint8); faces found before may be handed in, largest first.

    A refused photo with one face still carries its observation, so that staff can see why.
    """
    found = detect(image) if detections is None else detections
    if not found:
        return Assessment(FaceProblem.NO_FACE, None)
    return judge([observe_detected(image, found[0])], found, limits=limits)


def judge(
    observations: Sequence[FaceObservation],
    detections: Sequence[FaceDetection] | None = None,
    *,
    limits: Limits = AT_ENROLMENT,
) -> Assessment:
    """The same for faces that were already observed, largest first."""
    if not observations:
        return Assessment(FaceProblem.NO_FACE, None)
    main = observations[0]
    found = [seen.detection for seen in observations] if detections is None else detections
    quality = with_limits(main.quality, limits)
    problem = FaceProblem.SEVERAL_FACES if _has_company(found) else quality.problem
    return Assessment(problem, replace(main, quality=replace(quality, problem=problem)))


def _has_company(found: Sequence[FaceDetection]) -> bool:
    main, *others = found
    return any(
        other.confidence >= _SURE and other.box.width >= _BACKGROUND * main.box.width for other in others
    )
