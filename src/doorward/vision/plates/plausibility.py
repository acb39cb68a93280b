"""Whether something that was read is a plate at all: signs, badges and advertisements hold text too."""

import math

from doorward.vision.plates.model import PlateObservation, Region

LEAST_MEAN_CONFIDENCE = 0.6
# How sure the detector must be. It learned Chinese plates, takes North American ones for plates nearly as
# surely, and is much less sure of the longer European ones (docs/decisions/0002-plate-models.md).
_LEAST_DETECTION = {Region.CN: 0.3, Region.US: 0.3, Region.EU: 0.15, Region.BR: 0.15, Region.LATIN: 0.15}


def is_plausible(observation: PlateObservation, region: Region) -> bool:
    """True where the detector took it for a plate and its characters were seen clearly enough."""
    return (
        observation.detection_confidence >= _LEAST_DETECTION[region]
        and mean_confidence(observation) >= LEAST_MEAN_CONFIDENCE
    )


def mean_confidence(observation: PlateObservation) -> float:
    """Mean over the characters of the best candidate, 0 to 1; 0 when there is no candidate."""
    if not observation.candidates:
        return 0.0
    sure = observation.candidates[0].character_confidences
    return math.fsum(sure) / max(len(sure), 1)


def rank(observation: PlateObservation) -> float:
    """Greater for the plate that is meant: well read, surely found, near the camera."""
    return mean_confidence(observation) * (0.3 + observation.detection_confidence)
