"""Whether something that was read is a plate at all: signs, badges and advertisements hold text too."""

import math
from dataclasses import dataclass

import numpy as np

from doorward.vision.plates.grammar import VANITY, grammar_of
from doorward.vision.plates.model import PlateObservation, Region

LEAST_MEAN_CONFIDENCE = 0.75
MOST_SMALL = 0.5
# Log-shares. One pair of twins that only the grammar told apart costs 1.6, a letter left out 4 and more.
LEAST_AGREEMENT = (-4.0, -1.2, -1.2)
STACKED_SHAPES = (0.9, 2.2)


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """An observation and what speaks for or against its being a plate.

    `glance` is the detector's confidence at first sight (the observation holds that of the closer look),
    `agreement` how far the recognisers said the text of their own accord (log-share), `small` how surely they
    saw a small letter, `pitch` a character's width over its height.
    """

    observation: PlateObservation
    glance: float
    agreement: float = 0.0
    small: float = 0.0
    rows: int = 1
    pitch: float = 0.0
    is_light_on_dark: bool = False


@dataclass(frozen=True, slots=True)
class Demands:
    """What a region asks of a plate.

    `glance` and `closer` are the detector's confidence at first sight and in close-up, each for a text of a
    usual format, of an unusual one, of somebody's own choice: the looser the format, the more signs fit it.
    `weakest` is the least sure character's confidence, `share` the best candidate's; `shapes` are the least
    and the greatest width over height of the plate, `pitch` the greatest of one character.
    """

    glance: tuple[float, float, float]
    closer: tuple[float, float, float]
    weakest: float
    share: float
    shapes: tuple[float, float]
    pitch: float = math.inf
    agreement: tuple[float, float, float] = LEAST_AGREEMENT


# Europe writes dark on light, and few old or diplomatic plates otherwise: two oddities at once are refused.
# Brazil has two formats only, which hardly any sign fits, so the detector need not be as sure.
# American plates are 12 by 6 inches, and five to seven characters fill their width in one height.
_DEMANDS = {
    Region.CN: Demands((0.1,) * 3, (0.3,) * 3, 0.2, 0.3, shapes=(1.0, 5.0), agreement=(-math.inf,) * 3),
    Region.US: Demands((0.1, 0.4, 0.8), (0.5, 0.7, 0.9), 0.1, 0.3, shapes=(1.5, 3.1), pitch=0.62),
    Region.EU: Demands((0.1, 0.3, math.inf), (0.5, 0.9, math.inf), 0.3, 0.4, shapes=(2.0, 5.5)),
    Region.BR: Demands((0.1,) * 3, (0.15,) * 3, 0.3, 0.4, shapes=(2.0, 5.5)),
    Region.LATIN: Demands((0.15,) * 3, (0.5, 0.9, 0.9), 0.3, 0.4, shapes=(1.2, 5.5)),
}


def is_plausible(finding: Finding, region: Region) -> bool:
    """True where the detector took it for a plate, its shape is one, and its characters were seen clearly."""
    plate = finding.observation
    if not plate.candidates:
        return False
    demands, best = _DEMANDS[region], plate.candidates[0]
    step = min(2, _looseness(best.text, region) + (finding.is_light_on_dark and region is Region.EU))
    return (
        finding.glance >= demands.glance[step]
        and plate.detection_confidence >= demands.closer[step]
        and _has_the_shape(finding, demands)
        and best.minimum_confidence >= demands.weakest
        and best.probability >= demands.share
        and mean_confidence(plate) >= LEAST_MEAN_CONFIDENCE
        and finding.small < MOST_SMALL
        and finding.agreement >= demands.agreement[step]
        and not _is_a_bent_number(best.text)
    )


def mean_confidence(observation: PlateObservation) -> float:
    """Mean over the characters of the best candidate, 0 to 1; 0 when there is no candidate."""
    if not observation.candidates:
        return 0.0
    sure = observation.candidates[0].character_confidences
    return math.fsum(sure) / max(len(sure), 1)


def rank(finding: Finding) -> float:
    """Greater for the plate that is meant: well read, surely found at first sight, near the camera."""
    return mean_confidence(finding.observation) * (0.3 + finding.glance)


def _looseness(text: str, region: Region) -> int:
    """0 for a usual format, 1 for an unusual one, 2 for a text of somebody's own choice."""
    weight = grammar_of(region).log_prior(text)
    return 0 if weight >= 0 else 1 if weight > VANITY else 2


def _has_the_shape(finding: Finding, demands: Demands) -> bool:
    least, most = demands.shapes if finding.rows == 1 else STACKED_SHAPES
    return least <= _shape(finding.observation) <= most and finding.pitch <= demands.pitch


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
