"""Reads the plates in an image: find, straighten, recognise, keep to the grammar, refuse what is no plate."""

from collections.abc import Iterator

import numpy as np

from doorward.core.errors import Invalid
from doorward.vision.plates.crops import straighten
from doorward.vision.plates.decoding import candidates
from doorward.vision.plates.detector import Image, PlateDetector, detect_with_corners
from doorward.vision.plates.grammar import Grammar, grammar_of
from doorward.vision.plates.latin import read_latin
from doorward.vision.plates.model import PlateObservation, Region
from doorward.vision.plates.plausibility import LEAST_MEAN_CONFIDENCE, is_plausible, rank
from doorward.vision.plates.recogniser import chinese_recognisers

__all__ = ["LEAST_MEAN_CONFIDENCE", "read"]

MOST_PLATES = 3
CHINESE_CONFIDENCE = 0.3
CHINESE_SIDE = 1000
_SAME_PLATE = 0.1


def read(
    image: Image, *, region: Region, detector: PlateDetector = detect_with_corners
) -> list[PlateObservation]:
    """Plates in a BGR image (uint8, any size), surest first; none is the usual answer."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise Invalid("A plate is read from an image of shape (height, width, 3), uint8, BGR.")
    find = _read_chinese if region is Region.CN else read_latin
    found = find(image, grammar_of(region), detector)
    plausible = sorted((one for one in found if is_plausible(one, region)), key=lambda one: -rank(one))
    return _apart(plausible)[:MOST_PLATES]


def _read_chinese(image: Image, grammar: Grammar, detector: PlateDetector) -> Iterator[PlateObservation]:
    places = detector(image, least_confidence=CHINESE_CONFIDENCE, longest_side=CHINESE_SIDE)
    for place in places[:MOST_PLATES]:
        if place.corners is None:
            continue
        strip = straighten(image, place.corners, across=0.04, along=0.10)
        seen = candidates([recogniser.read(strip) for recogniser in chinese_recognisers()], grammar)
        if seen:
            yield PlateObservation(place.box, place.corners, seen, place.confidence, strip)


def _apart(observed: list[PlateObservation]) -> list[PlateObservation]:
    kept: list[PlateObservation] = []
    for one in observed:
        if all(one.box.overlap(other.box) < _SAME_PLATE for other in kept):
            kept.append(one)
    return kept
