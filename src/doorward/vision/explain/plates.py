"""The stages of a plate, explained."""

import cv2
import numpy as np

from doorward.vision.explain.panels import Bar, Bars, Figure, Pixels, Stage, Subject, drawn_box, picture
from doorward.vision.plates import read
from doorward.vision.plates.grammar import MEANINGS, Grammar, grammar_of
from doorward.vision.plates.known import LEAST_POSTERIOR
from doorward.vision.plates.model import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.plausibility import mean_confidence


def plates_stage(image: Pixels, drawing: Pixels, region: Region) -> Stage:
    """Every plate of an image (BGR), which is left as it is; outlines are drawn into `drawing`."""
    seen = read(image, region=region)
    subjects = tuple(_subject(plate, number, region) for number, plate in enumerate(seen, start=1))
    for subject, plate in zip(subjects, seen, strict=True):
        corners = plate.box.corners if plate.corners is None else plate.corners
        drawn_box(drawing, corners, subject.title, is_good=subject.is_good)
    return Stage("Plates", f"No plate of the region {region.value} was found in this picture.", subjects)


def _subject(plate: PlateObservation, number: int, region: Region) -> Subject:
    best = plate.candidates[0] if plate.candidates else None
    if best is None:
        verdict, is_good = "Found, but nothing that fits the grammar could be read.", False
    else:
        is_good = best.probability >= LEAST_POSTERIOR
        verdict = (
            f"Read as {best.text}, {'clearly' if is_good else 'but other readings are nearly as likely'}."
        )
    return Subject(
        title=f"Plate {number}",
        verdict=verdict,
        is_good=is_good,
        pictures=(picture("Rectified: all the reader sees", _readable(plate.crop), width=384, sharp=True),),
        figures=_figures(plate, best),
        groups=_groups(plate, best),
        notes=(_grammar_note(region, best),),
    )


def _figures(plate: PlateObservation, best: PlateCandidate | None) -> tuple[Figure, ...]:
    found = Figure(
        "Detector's confidence", f"{plate.detection_confidence:.2f}", "what the detector reports", None
    )
    if best is None:
        return (found,)
    return (
        found,
        Figure(
            "Share of the best reading",
            f"{100 * best.probability:.1f} %",
            f"at least {100 * LEAST_POSTERIOR:.0f} % to be taken at its word",
            best.probability >= LEAST_POSTERIOR,
        ),
        Figure(
            "Mean of the characters",
            f"{100 * mean_confidence(plate):.1f} %",
            "weighed when the reader decides whether this is a plate at all",
            None,
        ),
        Figure(
            "Least sure character",
            f"{100 * best.minimum_confidence:.1f} %",
            "shown beside every decision; a gate may ask for more",
            None,
        ),
    )


def _groups(plate: PlateObservation, best: PlateCandidate | None) -> tuple[Bars, ...]:
    if best is None:
        return ()
    readings = tuple(Bar(candidate.text, candidate.probability) for candidate in plate.candidates)
    characters = tuple(
        Bar(character, sure) for character, sure in zip(best.text, best.character_confidences, strict=True)
    )
    return (Bars("Readings that fit the grammar", readings), Bars("How sure each character is", characters))


def _grammar_note(region: Region, best: PlateCandidate | None) -> str:
    patterns = grammar_of(region).patterns
    fitting = [one for one in patterns if best is not None and Grammar(region, (one,)).allows(best.text)]
    known = f"The grammar of {region.value} knows {len(patterns)} shapes of plates"
    if not fitting:
        return f"{known}; none of them applied."
    places = ", ".join(MEANINGS[kind] for kind in fitting[0])
    return f"{known}; this reading has the shape: {places}."


def _readable(crop: Pixels) -> Pixels:
    """At least 96 pixels tall, so that a small crop is not blurred by the browser."""
    times = max(1, round(96 / max(1, crop.shape[0])))
    return np.asarray(cv2.resize(crop, None, fx=times, fy=times, interpolation=cv2.INTER_NEAREST), np.uint8)
