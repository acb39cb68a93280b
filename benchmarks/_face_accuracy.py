"""How well faces are told apart, on photos in the layout of Labeled Faces in the Wild."""

import csv
import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._face_statistics import Share, best_cut
from doorward.vision import faces, quality
from doorward.vision.model import FaceObservation
from doorward.vision.thresholds import (
    DEFAULT_ONE_IN_IDENTIFYING,
    face_threshold,
    wrong_openings_one_in,
)

_FOLD = 600
_USUAL_CUT = 0.363
_LARGE_GALLERY = 1_700
_SHOWN = 20


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """One face a photo: templates row by row, with the photo's name and the person's."""

    names: list[str]
    people: NDArray[np.str_]
    templates: NDArray[np.float32]
    row_of: dict[str, int]


def gather(folder: Path) -> Gathered:
    """Observes every photo and takes the face nearest the middle, which is whom LFW means."""
    names, templates, verdicts = [], [], Counter[str]()
    for path in sorted(folder.glob("*/*.jpg")):
        image = cv2.imread(str(path))
        seen = faces.observe(image) if image is not None else []
        name = str(path.relative_to(folder))
        verdict = quality.judge(seen)
        verdicts[str(verdict.problem or "accepted")] += 1
        if not seen:
            print(f"  no face found in {name}")
            continue
        names.append(name)
        templates.append(min(seen, key=lambda one: _off_centre(one, image)).template)
    print("Enrolment gate on these photos (nobody posed for them, people stand in the background):")
    for verdict_name, count in verdicts.most_common():
        print(f"  {verdict_name:14} {Share(count, verdicts.total())}")
    people = np.array([name.split("/")[0] for name in names])
    return Gathered(names, people, np.stack(templates), {name: row for row, name in enumerate(names)})


def _off_centre(seen: FaceObservation, image: NDArray[np.uint8]) -> float:
    box, (height, width) = seen.detection.box, image.shape[:2]
    return math.hypot(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2)


def report_pairs(gathered: Gathered, pairs_file: Path) -> None:
    """Accuracy fold by fold, each judged with the cut that was best on the others, and every mistake."""
    with pairs_file.open() as file:
        listed = list(csv.DictReader(file))
    usable = [pair for pair in listed if pair["a"] in gathered.row_of and pair["b"] in gathered.row_of]
    scores = np.array([_score(gathered, pair) for pair in usable])
    same = np.array([pair["same"] == "1" for pair in usable])
    folds = np.arange(len(usable)) // _FOLD
    right = np.zeros(len(usable), bool)
    for fold in np.unique(folds):
        others = folds != fold
        cut = best_cut(scores[others], same[others]) if others.any() else _USUAL_CUT
        right[~others] = (scores[~others] > cut) == same[~others]
        print(f"  fold {fold + 1}: {right[~others].mean():.3%} with the cut {cut:.3f} of the other folds")
    print(f"Pairs told right, {len(np.unique(folds))} folds  {Share(int(right.sum()), len(listed))}")
    usual = (scores > _USUAL_CUT) == same
    print(f"Pairs told right at {_USUAL_CUT} flat {Share(int(usual.sum()), len(listed))}")
    for pair, score in [(usable[i], scores[i]) for i in np.nonzero(~right)[0]][:_SHOWN]:
        kind = "same person" if pair["same"] == "1" else "two people "
        print(f"    wrong: {kind} {score:.3f}  {pair['a']}  {pair['b']}")


def _score(gathered: Gathered, pair: dict[str, str]) -> float:
    a, b = gathered.row_of[pair["a"]], gathered.row_of[pair["b"]]
    return float(gathered.templates[a] @ gathered.templates[b])


def report_all_pairs(gathered: Gathered) -> None:
    """True accepts at fixed false accepts over all pairs, and what the promised cuts really let through."""
    rows, columns = np.triu_indices(len(gathered.names), 1)
    scores = (gathered.templates @ gathered.templates.T)[rows, columns]
    same = gathered.people[rows] == gathered.people[columns]
    genuine, foreign = scores[same], np.sort(scores[~same])[::-1]
    print(f"All pairs: {len(genuine)} of the same person, {len(foreign)} of two people")
    for rate in (1e-3, 1e-4, 1e-5):
        cut = foreign[int(rate * len(foreign))]
        print(
            f"  accepted at FAR {rate:.0e}: {Share(int((genuine > cut).sum()), len(genuine))} cut {cut:.3f}"
        )
    for one_in in (1_000, 10_000, 100_000):
        cut = face_threshold(one_in=one_in, gallery_size=1, enrolled_frames=1)
        share = Share(int((foreign > cut).sum()), len(foreign))
        print(f"  promised 1 in {one_in:7,} wrong, cut {cut:.3f}: {share}")


def report_open_set(gathered: Gathered) -> None:
    """Whoever has four photos is enrolled by three; their other photos and all strangers come to the door."""
    photos: dict[str, list[int]] = defaultdict(list)
    for row, person in enumerate(gathered.people):
        photos[str(person)].append(row)
    enrolled = {person: rows for person, rows in photos.items() if len(rows) >= 4}
    gallery = np.stack(
        [faces.enrol_template(list(gathered.templates[rows[:3]])) for rows in enrolled.values()]
    )
    names = np.array(list(enrolled))
    probes = np.array([row for rows in enrolled.values() for row in rows[3:]])
    strangers = np.array([row for person, rows in photos.items() if person not in enrolled for row in rows])
    print(
        f"Open set: {len(names)} enrolled by three photos, {len(probes)} visits, {len(strangers)} strangers"
    )
    one_in = DEFAULT_ONE_IN_IDENTIFYING
    cut = face_threshold(one_in=one_in, gallery_size=len(names))
    _at_cut(
        gathered, f"default promise (1 in {one_in}) for this gallery", cut, gallery, names, probes, strangers
    )
    large = face_threshold(one_in=one_in, gallery_size=_LARGE_GALLERY)
    _at_cut(gathered, f"the cut of {_LARGE_GALLERY:,} enrolled", large, gallery, names, probes, strangers)


def _at_cut(  # noqa: PLR0917 (six arrays of one experiment)
    gathered: Gathered,
    title: str,
    cut: float,
    gallery: NDArray[np.float32],
    names: NDArray[np.str_],
    probes: NDArray[np.intp],
    strangers: NDArray[np.intp],
) -> None:
    visits = gathered.templates[probes] @ gallery.T
    found = (visits.max(1) >= cut) & (names[visits.argmax(1)] == gathered.people[probes])
    taken = (visits.max(1) >= cut) & ~(names[visits.argmax(1)] == gathered.people[probes])
    foreign = (gathered.templates[strangers] @ gallery.T).max(1)
    promise = 1 / wrong_openings_one_in(cut, len(names))
    print(f"  {title}: cut {cut:.3f}")
    print(
        f"    strangers let in      {Share(int((foreign >= cut).sum()), len(foreign))} promised {promise:.3%}"
    )
    print(f"    enrolled found        {Share(int(found.sum()), len(found))}")
    print(f"    enrolled taken for another {Share(int(taken.sum()), len(taken))}")
    for row, score in zip(probes[~found], visits.max(1)[~found], strict=True):
        print(f"    not found: {gathered.names[row]} {score:.3f}")
    for row, score in zip(strangers[foreign >= cut], foreign[foreign >= cut], strict=True):
        print(f"    let in: {gathered.names[row]} {score:.3f}")
