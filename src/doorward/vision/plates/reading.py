"""Reads the plates in an image: find, straighten, recognise, keep to the grammar, refuse what is no plate."""

import numpy as np

from doorward.core.errors import Invalid
from doorward.vision.plates.crops import bounding, cut, straighten
from doorward.vision.plates.decoding import decode
from doorward.vision.plates.detector import (
    Floats,
    Image,
    PlateDetection,
    PlateDetector,
    detect_with_corners,
)
from doorward.vision.plates.grammar import Grammar, grammar_of
from doorward.vision.plates.model import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.recogniser import (
    CHINESE,
    LATIN,
    Scores,
    chinese_recognisers,
    latin_recogniser,
)
from doorward.vision.plates.text_lines import TextLine, find_lines

MOST_PLATES = 3
LEAST_MEAN_CONFIDENCE = 0.5
CHINESE_CONFIDENCE, LATIN_CONFIDENCE = 0.5, 0.25
MARGINS = (0.02, 0.10)  # a line's ends are often cut: two crops, read together
FLATTEST, TALLEST = 9.0, 1.1  # width over height of one line of a plate


def read(
    image: Image, *, region: Region, detector: PlateDetector = detect_with_corners
) -> list[PlateObservation]:
    """Plates in a BGR image (uint8, any size), surest first; none is the usual answer."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise Invalid("A plate is read from an image of shape (height, width, 3), uint8, BGR.")
    if min(image.shape[:2]) < 16:
        return []
    grammar = grammar_of(region)
    if region is Region.CN:
        return _read_chinese(image, grammar, detector)
    return _read_latin(image, grammar, detector)


def _read_chinese(image: Image, grammar: Grammar, detector: PlateDetector) -> list[PlateObservation]:
    found = []
    for detection in detector(image, least_confidence=CHINESE_CONFIDENCE)[:MOST_PLATES]:
        assert detection.corners is not None
        strip = straighten(image, detection.corners, across=0.04, along=0.10)
        read_by = [recogniser.read(strip) for recogniser in chinese_recognisers()]
        candidates = _fused(read_by, CHINESE, grammar)
        found.append(_observation(detection.corners, candidates, detection.confidence, strip))
    return [one for one in found if one is not None]


def _fused(read_by: list[Scores], characters: list[str], grammar: Grammar) -> tuple[PlateCandidate, ...]:
    """Each recogniser proposes, all of them weigh every proposal; the sums of log-probabilities decide."""
    proposals = {
        candidate.text: candidate for scores in read_by for candidate in decode(scores, characters, grammar)
    }
    weighed = {
        text: grammar.log_prior(text)
        + sum(_score(scores, text, characters) for scores in read_by) / len(read_by)
        for text in proposals
    }
    return _shares(proposals, weighed)


def _shares(proposals: dict[str, PlateCandidate], weighed: dict[str, float]) -> tuple[PlateCandidate, ...]:
    if not weighed:
        return ()
    best = max(weighed.values())
    shares = {text: float(np.exp(score - best)) for text, score in weighed.items()}
    total = sum(shares.values())
    ranked = sorted(proposals.values(), key=lambda one: -weighed[one.text])[:5]
    return tuple(
        PlateCandidate(one.text, shares[one.text] / total, one.character_confidences) for one in ranked
    )


def _score(scores: Scores, text: str, characters: list[str]) -> float:
    """The log-probability of a whole text (forward algorithm over the alignments)."""
    states = [0]
    for character in text:
        states += [characters.index(character) + 1, 0]
    skip = np.array([n >= 2 and states[n] != 0 and states[n] != states[n - 2] for n in range(len(states))])
    alpha = np.full(len(states), -1e9)
    alpha[:2] = scores[0, states[:2]]
    for step in scores[1:]:
        one = np.concatenate([[-1e9], alpha[:-1]])
        two = np.where(skip, np.concatenate([[-1e9, -1e9], alpha[:-2]]), -1e9)
        alpha = np.logaddexp(np.logaddexp(alpha, one), two) + step[states]
    return float(np.logaddexp(alpha[-1], alpha[-2]))


def _read_latin(image: Image, grammar: Grammar, detector: PlateDetector) -> list[PlateObservation]:
    """Lines of text, tried widest first near a detected plate, else anywhere; the surest that fits wins."""
    detections = detector(image, least_confidence=LATIN_CONFIDENCE)[:MOST_PLATES]
    observed = [one for detection in detections for one in _near(image, detection, grammar)]
    if not observed:
        lines = [line for line in find_lines(image) if _shaped(line)][:8]
        observed = [one for line in lines for one in _lines_read(image, line, grammar, 0.5)]
    observed.sort(key=lambda one: -_rank(one))
    return _apart(observed)[:MOST_PLATES]


def _near(image: Image, detection: PlateDetection, grammar: Grammar) -> list[PlateObservation]:
    part = cut(image, detection.box, across=0.35, along=0.8)
    origin = np.array(
        [
            max(0.0, detection.box.x - detection.box.width * 0.35),
            max(0.0, detection.box.y - detection.box.height * 0.8),
        ],
        np.float32,
    )
    found = []
    for line in find_lines(part, longest_side=480):
        moved = TextLine(line.corners + np.floor(origin), line.confidence)
        if _shaped(moved):
            found += _lines_read(image, moved, grammar, detection.confidence)
    if detection.corners is not None:
        strip = straighten(image, detection.corners, across=0.02, along=0.06)
        candidates = _fused([latin_recogniser().read(strip)], LATIN, grammar)
        whole = _observation(detection.corners, candidates, detection.confidence, strip)
        found += [whole] if whole is not None else []
    return found


def _lines_read(image: Image, line: TextLine, grammar: Grammar, confidence: float) -> list[PlateObservation]:
    strips = [straighten(image, line.corners, across=part, along=0.06) for part in MARGINS]
    candidates = _fused([latin_recogniser().read(strip) for strip in strips], LATIN, grammar)
    seen = _observation(line.corners, candidates, confidence, strips[0])
    return [] if seen is None else [seen]


def _observation(
    corners: Floats, candidates: tuple[PlateCandidate, ...], confidence: float, strip: Image
) -> PlateObservation | None:
    """An observation, unless the best candidate is too weak to be a plate at all."""
    if not candidates or _mean(candidates[0]) < LEAST_MEAN_CONFIDENCE:
        return None
    return PlateObservation(bounding(corners), corners, candidates, confidence, strip)


def _rank(observation: PlateObservation) -> float:
    return (
        _mean(observation.candidates[0]) * (0.5 + observation.detection_confidence) * observation.box.height
    )


def _mean(candidate: PlateCandidate) -> float:
    return sum(candidate.character_confidences) / max(len(candidate.character_confidences), 1)


def _shaped(line: TextLine) -> bool:
    top_left, top_right, _, bottom_left = line.corners
    height = max(float(np.linalg.norm(bottom_left - top_left)), 1.0)
    return TALLEST <= float(np.linalg.norm(top_right - top_left)) / height <= FLATTEST


def _apart(observed: list[PlateObservation]) -> list[PlateObservation]:
    kept: list[PlateObservation] = []
    for one in observed:
        if all(one.box.overlap(other.box) < 0.1 for other in kept):
            kept.append(one)
    return kept
