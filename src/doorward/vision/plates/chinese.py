"""Reads Chinese plates: one row on cars, two on lorries, buses and motorcycles."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from doorward.vision.plates.closer import look_closer
from doorward.vision.plates.crops import beside, straighten
from doorward.vision.plates.decoding import candidates, is_clear
from doorward.vision.plates.detector import Floats, Image, PlateDetection, PlateDetector
from doorward.vision.plates.grammar import Grammar
from doorward.vision.plates.model import PlateCandidate, PlateObservation
from doorward.vision.plates.plausibility import Finding
from doorward.vision.plates.recogniser import Reading, chinese_recognisers

LEAST_DETECTION = 0.1
LONGEST_SIDE = 1000
MOST_PLACES = 3
# From this confidence on, a closer look is taken only where the first reading leaves a doubt.
SURE = 0.9
# Plates in two rows are about twice as wide as high (GA 36: 440 x 220 mm), others more than three times.
STACKED_SHAPE = 2.4
# Where the upper row ends and the lower begins (same standard), and how much of the upper's sides is empty.
_UPPER, _LOWER, _EMPTY = 0.34, 0.42, 0.2


def read_chinese(image: Image, grammar: Grammar, detector: PlateDetector) -> Iterator[Finding]:
    """Everything that fits the grammar where the detector sees a plate."""
    for glance in detector(image, least_confidence=LEAST_DETECTION, longest_side=LONGEST_SIDE)[:MOST_PLACES]:
        is_sure = glance.confidence >= SURE
        place = glance if is_sure else look_closer(image, glance, detector)
        if place is None:
            continue
        read = _read(image, place, grammar)
        if not is_clear(read.seen, read.looks):
            other = look_closer(image, glance, detector) if is_sure else glance
            read = _read_again(image, read, place, other, grammar)
        if read.seen:
            plate = PlateObservation(place.box, _corners(place), read.seen, place.confidence, read.strip)
            yield Finding(plate, glance=glance.confidence)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    strip: Image
    looks: tuple[Reading, ...]
    seen: tuple[PlateCandidate, ...]


def _read(image: Image, place: PlateDetection, grammar: Grammar) -> _Read:
    return _looked_at(_whole(image, _corners(place)), (), grammar)


def _read_again(
    image: Image, first: _Read, place: PlateDetection, other: PlateDetection | None, grammar: Grammar
) -> _Read:
    """The same by the other corners as well, or as two rows where the shape allows and they read better."""
    whole = first if other is None else _looked_at(_whole(image, _corners(other)), first.looks, grammar)
    if not may_be_stacked(_corners(place)):
        return whole
    rows = _looked_at(stacked(image, _corners(place)), (), grammar)
    return max(whole, rows, key=lambda one: _worth(one.seen))


def _looked_at(strip: Image, before: tuple[Reading, ...], grammar: Grammar) -> _Read:
    looks = (*before, *(one.read(strip) for one in chinese_recognisers()))
    return _Read(strip, looks, candidates(looks, grammar))


def _corners(place: PlateDetection) -> Floats:
    """The detector's corners, or its box's where it tells none."""
    return place.box.corners if place.corners is None else place.corners


def _whole(image: Image, corners: Floats) -> Image:
    return straighten(image, corners, across=0.04, along=0.10)


def may_be_stacked(corners: Floats) -> bool:
    """Whether a plate with these corners may have two rows."""
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    return bool(np.linalg.norm(across) < STACKED_SHAPE * np.linalg.norm(down))


def stacked(image: Image, corners: Floats) -> Image:
    """The upper row and the lower one side by side."""
    upper = straighten(image, corners, across=-_EMPTY, along=0.04, cut=(0.0, 1 - _UPPER))
    lower = straighten(image, corners, across=0.02, along=0.04, cut=(_LOWER, 0.0))
    return beside([upper, lower])


def _worth(seen: tuple[PlateCandidate, ...]) -> float:
    return seen[0].probability * math.fsum(seen[0].character_confidences) / len(seen[0].text) if seen else 0.0
