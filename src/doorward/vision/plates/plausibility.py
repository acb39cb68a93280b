"""Whether something that was read is a plate at all: signs, badges and advertisements hold text too."""

import math
from dataclasses import dataclass

import numpy as np

from doorward.vision.plates.grammar import VANITY, grammar_of
from doorward.vision.plates.model import PlateObservation, Region

LEAST_MEAN_CONFIDENCE = 0.75


@dataclass(frozen=True, slots=True)
class Demands:
    """What a region asks: the detector's confidence, the weakest character's, the best candidate's share.

    `detection` in three steps: for a text of a usual format, of an unusual one, of somebody's own choice (the
    looser the format, the more signs fit it). `shapes` are the least and the greatest width over height.
    """

    detection: tuple[float, float, float]
    weakest: float
    share: float
    shapes: tuple[float, float]


# The detector learned Chinese plates, takes North American ones for plates nearly as surely, and is much less
# sure of the longer European ones (docs/decisions/0002-plate-models.md).
_DEMANDS = {
    Region.CN: Demands((0.3, 0.3, 0.3), weakest=0.2, share=0.3, shapes=(1.0, 5.0)),
    Region.US: Demands((0.1, 0.4, 0.8), weakest=0.1, share=0.3, shapes=(1.5, 3.2)),
    Region.EU: Demands((0.1, 0.3, 0.3), weakest=0.3, share=0.4, shapes=(2.0, 5.5)),
    Region.BR: Demands((0.15, 0.15, 0.15), weakest=0.3, share=0.4, shapes=(2.0, 5.5)),
    Region.LATIN: Demands((0.15, 0.15, 0.15), weakest=0.3, share=0.4, shapes=(1.2, 5.5)),
}


def is_plausible(observation: PlateObservation, region: Region) -> bool:
    """True where the detector took it for a plate, its shape is one, and its characters were seen clearly."""
    if not observation.candidates:
        return False
    demands, best = _DEMANDS[region], observation.candidates[0]
    step = _looseness(best.text, region)
    return (
        observation.detection_confidence >= demands.detection[step]
        and demands.shapes[0] <= _shape(observation) <= demands.shapes[1]
        and best.minimum_confidence >= demands.weakest
        and best.probability >= demands.share
        and mean_confidence(observation) >= LEAST_MEAN_CONFIDENCE
        and not _is_a_bent_number(best.text)
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


def _looseness(text: str, region: Region) -> int:
    """0 for a usual format, 1 for an unusual one, 2 for a text of somebody's own choice."""
    weight = grammar_of(region).log_prior(text)
    return 0 if weight >= 0 else 1 if weight > VANITY else 2


def _shape(observation: PlateObservation) -> float:
    if observation.corners is None:
        return observation.box.width / max(observation.box.height, 1.0)
    upper_left, upper_right, _, lower_left = observation.corners
    height = max(float(np.linalg.norm(lower_left - upper_left)), 1.0)
    return float(np.linalg.norm(upper_right - upper_left)) / height


def _is_a_bent_number(text: str) -> bool:
    """A date, time or price that the grammar bent into a plate: its only letters are O and I."""
    letters = {character for character in text if character.isalpha()}
    return bool(letters) and letters <= {"O", "I"}
