"""Reads plates in Latin letters: the main line of text near each place that resembles a plate."""

from collections.abc import Iterator, Sequence

import numpy as np

from doorward.vision.plates.closer import look_closer
from doorward.vision.plates.crops import beside, bounding, is_light_on_dark, straighten, surroundings
from doorward.vision.plates.decoding import agreement, candidates, is_clear
from doorward.vision.plates.detector import Floats, Image, PlateDetection, PlateDetector
from doorward.vision.plates.grammar import Grammar
from doorward.vision.plates.model import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.plausibility import Finding
from doorward.vision.plates.recogniser import Reading, latin_recognisers
from doorward.vision.plates.text_lines import TextLine, find_lines, joined

# The detector learned Chinese plates: others it finds too, but with little confidence. What it finds beside
# them is sorted out by looking closer and by reading it.
LEAST_DETECTION = 0.05
LONGEST_SIDE = 1280
MOST_PLACES = 5
SEARCHED_SIDE = 320
# Below this mean character confidence in a first look, no second one is taken.
WORTH_A_SECOND_LOOK = 0.45
_STRETCHED = 230
_SAME_ROW, _SAME_HEIGHT = 0.5, 0.6
# Regions whose motorcycles carry two rows, and the greatest width over height of one row (four characters).
STACKED = frozenset({Region.BR})
STACKED_ROW = 3.4
_FARTHEST_ROW, _FARTHEST_ASIDE = 1.9, 0.35


def read_latin(image: Image, grammar: Grammar, detector: PlateDetector) -> Iterator[Finding]:
    """Everything that fits the grammar where a plate may be; the caller sorts out what is none."""
    for glance in detector(image, least_confidence=LEAST_DETECTION, longest_side=LONGEST_SIDE)[:MOST_PLACES]:
        place = look_closer(image, glance, detector)
        rows = [] if place is None else main_rows(image, place, may_stack=grammar.region in STACKED)
        if place is None or not rows:
            continue
        seen, looks = _seen(image, place, rows, grammar)
        if not seen:
            continue
        corners = place.corners if place.corners is not None and len(rows) == 1 else joined(rows).corners
        crop = straighten(image, corners, across=0.02, along=0.06)
        plate = PlateObservation(bounding(corners), corners, seen, place.confidence, crop)
        yield Finding(
            plate,
            glance=glance.confidence,
            agreement=agreement(looks, seen[0].text),
            small=float(np.median([look.small for look in looks])),
            rows=len(rows),
            is_light_on_dark=is_light_on_dark(crop),
            pitch=rows[0].width / max(rows[0].height, 1.0) / len(seen[0].text) * len(rows),
        )


def main_rows(image: Image, place: PlateDetection, *, may_stack: bool = False) -> list[TextLine]:
    """The tallest line of text inside a plate, its parts joined: what stands above and below is smaller.

    Where plates may have two rows of one height, both, the upper one first.
    """
    part, scale, origin = surroundings(image, place.box, longest_side=SEARCHED_SIDE)
    lines = [TextLine(one.corners / scale + origin, one.confidence) for one in find_lines(part)]
    inside = [one for one in lines if _is_inside(one, place)]
    if not inside:
        return []
    tallest = max(inside, key=lambda one: one.height * min(one.width, place.box.width))
    main = joined([one for one in inside if _is_same_row(one, tallest)])
    if not may_stack or main.width > STACKED_ROW * main.height:
        return [main]
    other = max((one for one in lines if _is_other_row(one, main)), key=lambda one: one.width, default=main)
    return [main] if other is main else sorted([main, other], key=lambda one: float(one.corners[:, 1].mean()))


def _seen(
    image: Image, place: PlateDetection, rows: Sequence[TextLine], grammar: Grammar
) -> tuple[tuple[PlateCandidate, ...], list[Reading]]:
    """The candidates and the looks they come from; further looks only where the first ones leave a doubt."""
    strip = _strip(image, rows, across=0.0, along=0.0)
    first, second = latin_recognisers()
    looks = [first.read(strip)]
    guess = candidates(looks, grammar)
    if not guess or float(np.mean(guess[0].character_confidences)) < WORTH_A_SECOND_LOOK:
        return (), looks
    looks.append(second.read(strip))
    guess = candidates(looks, grammar)
    if is_clear(guess, looks):
        return guess, looks
    strips = [_strip(image, rows, across=0.04, along=0.08)]
    if place.corners is not None and len(rows) == 1:
        strips.append(_middle(image, place.corners))
    looks += [one.read(other) for other in strips for one in (first, second)]
    return candidates(looks, grammar), looks


def _strip(image: Image, rows: Sequence[TextLine], *, across: float, along: float) -> Image:
    return beside([straighten(image, row.corners, across=across, along=along) for row in rows])


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


def _is_other_row(one: TextLine, main: TextLine) -> bool:
    """Above or below the main row, of its height, and no farther away than plates write their rows."""
    right, down = main.corners[1] - main.corners[0], main.corners[3] - main.corners[0]
    offset = one.corners.mean(0) - main.corners.mean(0)
    aside = abs(float(offset @ right)) / max(main.width, 1.0) ** 2
    away = abs(float(offset @ down)) / max(main.height, 1.0) ** 2
    return (
        _SAME_HEIGHT < one.height / max(main.height, 1.0) < 1 / _SAME_HEIGHT
        and _SAME_ROW < away < _FARTHEST_ROW
        and aside < _FARTHEST_ASIDE
    )
