"""Reads Chinese plates: one row on cars, two on lorries, buses and motorcycles."""

import math
from collections.abc import Iterator

import numpy as np

from doorward.vision.plates.closer import look_closer
from doorward.vision.plates.crops import beside, straighten
from doorward.vision.plates.decoding import agreement, candidates, is_clear
from doorward.vision.plates.detector import Floats, Image, PlateDetector
from doorward.vision.plates.grammar import Grammar
from doorward.vision.plates.model import PlateCandidate, PlateObservation
from doorward.vision.plates.plausibility import Finding
from doorward.vision.plates.recogniser import Reading, chinese_recognisers

LEAST_DETECTION = 0.1
LONGEST_SIDE = 1000
MOST_PLACES = 3
# Plates in two rows are about twice as wide as high (GA 36: 440 x 220 mm), others more than three times.
STACKED_SHAPE = 2.4
# Where the upper row ends and the lower begins (same standard), and how much of the upper's sides is empty.
_UPPER, _LOWER, _EMPTY = 0.34, 0.42, 0.2


def read_chinese(image: Image, grammar: Grammar, detector: PlateDetector) -> Iterator[Finding]:
    """Everything that fits the grammar where the detector sees a plate."""
    for glance in detector(image, least_confidence=LEAST_DETECTION, longest_side=LONGEST_SIDE)[:MOST_PLACES]:
        place = look_closer(image, glance, detector)
        if place is None or place.corners is None or glance.corners is None:
            continue
        strip, seen, looks = _read(image, place.corners, glance.corners, grammar)
        if seen:
            plate = PlateObservation(place.box, place.corners, seen, place.confidence, strip)
            yield Finding(plate, glance=glance.confidence, agreement=agreement(looks, seen[0].text))


_Read = tuple[Image, tuple[PlateCandidate, ...], list[Reading]]


def _read(image: Image, corners: Floats, others: Floats, grammar: Grammar) -> _Read:
    """What the plate says as one row, or as two where its shape allows two and they are read better."""
    strip = _whole(image, corners)
    looks = [one.read(strip) for one in chinese_recognisers()]
    seen = candidates(looks, grammar)
    if seen and is_clear(seen[0], looks):
        return strip, seen, looks
    looks += [one.read(_whole(image, others)) for one in chinese_recognisers()]
    seen = candidates(looks, grammar)
    if _may_be_stacked(corners):
        both = _stacked(image, corners)
        again = [one.read(both) for one in chinese_recognisers()]
        rows = candidates(again, grammar)
        if _worth(rows) > _worth(seen):
            return both, rows, again
    return strip, seen, looks


def _whole(image: Image, corners: Floats) -> Image:
    return straighten(image, corners, across=0.04, along=0.10)


def _may_be_stacked(corners: Floats) -> bool:
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    return bool(np.linalg.norm(across) < STACKED_SHAPE * np.linalg.norm(down))


def _stacked(image: Image, corners: Floats) -> Image:
    """The upper row and the lower one side by side."""
    upper = straighten(image, corners, across=-_EMPTY, along=0.04, cut=(0.0, 1 - _UPPER))
    lower = straighten(image, corners, across=0.02, along=0.04, cut=(_LOWER, 0.0))
    return beside([upper, lower])


def _worth(seen: tuple[PlateCandidate, ...]) -> float:
    return seen[0].probability * math.fsum(seen[0].character_confidences) / len(seen[0].text) if seen else 0.0
