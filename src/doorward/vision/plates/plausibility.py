"""Whether something that was read is a plate at all: signs, badges and advertisements hold text too."""

import math

from doorward.vision.plates.model import PlateObservation, Region

LEAST_MEAN_CONFIDENCE = 0.0


def is_plausible(observation: PlateObservation, region: Region) -> bool:
    """True where detector, characters and shape together speak for a plate."""
    return bool(observation.candidates)


def mean_confidence(observation: PlateObservation) -> float:
    """Mean over the characters of the best candidate, 0 to 1."""
    sure = observation.candidates[0].character_confidences
    return math.fsum(sure) / max(len(sure), 1)


def rank(observation: PlateObservation) -> float:
    """Greater for the plate that is meant: well read, surely found, near the camera."""
    return mean_confidence(observation) * (0.3 + observation.detection_confidence)
