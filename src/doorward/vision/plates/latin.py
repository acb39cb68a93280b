"""Reads plates in Latin letters: the main line of text near each place that resembles a plate."""

from collections.abc import Iterator

import numpy as np

from doorward.vision.plates.crops import bounding, straighten, surroundings
from doorward.vision.plates.decoding import candidates
from doorward.vision.plates.detector import Floats, Image, PlateDetection, PlateDetector
from doorward.vision.plates.grammar import Grammar
from doorward.vision.plates.model import PlateCandidate, PlateObservation
from doorward.vision.plates.recogniser import latin_recognisers
from doorward.vision.plates.text_lines import TextLine, find_lines, joined

# The detector learned Chinese plates: others it finds too, but with little confidence. What it finds beside
# them is sorted out by reading it.
LEAST_DETECTION = 0.05
LONGEST_SIDE = 1280
MOST_PLACES = 5
SEARCHED_SIDE = 320
# Below this mean character confidence in a first look, no second one is taken.
WORTH_A_SECOND_LOOK = 0.45
_STRETCHED = 230
_SAME_ROW, _SAME_HEIGHT = 0.5, 0.6


def read_latin(image: Image, grammar: Grammar, detector: PlateDetector) -> Iterator[PlateObservation]:
    """Everything that fits the grammar where a plate may be; the caller sorts out what is none."""
    for place in detector(image, least_confidence=LEAST_DETECTION, longest_side=LONGEST_SIDE)[:MOST_PLACES]:
        line = main_line(image, place)
        if line is None:
            continue
        seen = _seen(image, place, line, grammar)
        if seen:
            corners = place.corners if place.corners is not None else line.corners
            crop = straighten(image, corners, across=0.02, along=0.06)
            yield PlateObservation(bounding(corners), corners, seen, place.confidence, crop)


def main_line(image: Image, place: PlateDetection) -> TextLine | None:
    """The tallest line of text inside a plate, its parts joined: what stands above and below is smaller."""
    part, scale, origin = surroundings(image, place.box, longest_side=SEARCHED_SIDE)
    lines = [TextLine(one.corners / scale + origin, one.confidence) for one in find_lines(part)]
    inside = [one for one in lines if _is_inside(one, place)]
    if not inside:
        return None
    tallest = max(inside, key=lambda one: one.height * min(one.width, place.box.width))
    return joined([one for one in inside if _is_same_row(one, tallest)])


def _seen(
    image: Image, place: PlateDetection, line: TextLine, grammar: Grammar
) -> tuple[PlateCandidate, ...]:
    first, second = latin_recognisers()
    strip = straighten(image, line.corners, across=0.0, along=0.0)
    glance = first.read(strip)
    guess = candidates([glance], grammar)
    if not guess or float(np.mean(guess[0].character_confidences)) < WORTH_A_SECOND_LOOK:
        return ()
    wider = straighten(image, line.corners, across=0.04, along=0.08)
    strips = [wider] if place.corners is None else [wider, _middle(image, place.corners)]
    looks = [glance, second.read(strip), *(one.read(other) for other in strips for one in (first, second))]
    return candidates(looks, grammar)


def _middle(image: Image, corners: Floats) -> Image:
    """The plate without the names and slogans at its upper and lower edge."""
    return straighten(image, corners, across=0.02, along=0.0, cut=(0.15, 0.10), least_width=_STRETCHED)


def _is_inside(line: TextLine, place: PlateDetection) -> bool:
    x, y = line.corners.mean(0)
    box = place.box
    return bool(
        abs(x - box.x - box.width / 2) < 0.6 * box.width
        and abs(y - box.y - box.height / 2) < 0.6 * box.height
    )


def _is_same_row(one: TextLine, other: TextLine) -> bool:
    if one is other:
        return True
    down = (other.corners[3] - other.corners[0]) / max(other.height, 1.0)
    offset = abs(float((one.corners.mean(0) - other.corners.mean(0)) @ down))
    return offset < _SAME_ROW * other.height and one.height > _SAME_HEIGHT * other.height
