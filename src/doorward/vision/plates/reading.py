"""Reads the plates in an image: find, straighten, recognise, keep to the grammar, refuse what is no plate."""

import numpy as np

from doorward.core.errors import Invalid
from doorward.vision.plates.chinese import read_chinese
from doorward.vision.plates.crops import brightened
from doorward.vision.plates.detector import Image, PlateDetector, detect_with_corners
from doorward.vision.plates.grammar import grammar_of
from doorward.vision.plates.latin import read_latin
from doorward.vision.plates.model import PlateObservation, Region
from doorward.vision.plates.plausibility import LEAST_MEAN_CONFIDENCE, is_plausible, rank

__all__ = ["LEAST_MEAN_CONFIDENCE", "read"]

MOST_PLATES = 3
_SAME_PLATE = 0.1


def read(
    image: Image, *, region: Region, detector: PlateDetector = detect_with_corners
) -> list[PlateObservation]:
    """Plates in a BGR image (uint8, any size but empty), surest first; none is the usual answer."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise Invalid("A plate is read from an image of shape (height, width, 3), uint8, BGR.")
    find = read_chinese if region is Region.CN else read_latin
    found = find(brightened(image), grammar_of(region), detector)
    plausible = sorted((one for one in found if is_plausible(one, region)), key=lambda one: -rank(one))
    return _apart([one.observation for one in plausible])[:MOST_PLATES]


def _apart(observed: list[PlateObservation]) -> list[PlateObservation]:
    kept: list[PlateObservation] = []
    for one in observed:
        if all(one.box.overlap(other.box) < _SAME_PLATE for other in kept):
            kept.append(one)
    return kept
