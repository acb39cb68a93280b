"""Doors that search everybody: who is let in and who is found, over random splits of one set of photos."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks._face_photos import Photos
from benchmarks._face_statistics import spread
from benchmarks._figures import Figure, tell
from doorward.gates.model import SiteRules
from doorward.people.rules import odd_ones_out
from doorward.people.service.enrolment import SAME_PERSON_ONE_IN
from doorward.vision import faces
from doorward.vision.thresholds import face_threshold, wrong_openings_one_in

SPLITS = 100
PHOTOS_EACH = 3
STRANGERS_LIMIT, FOUND_LIMIT = 0.006, 0.99
_LARGE_GALLERY = 1_700
_SHOWN = 40
_AWAY = 0.25


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a split is drawn. `gated` enrols only photos that the product would, and judges only usable visits.

    `gallery_size` is what the cut is made for; None for as many as are enrolled.
    """

    name: str
    gated: bool
    gallery_size: int | None = None


PROTOCOLS = (
    Protocol("any photo, enrolled and at the door", gated=False),
    Protocol("photos that enrolment and door accept", gated=True),
    Protocol(f"any photo, at the cut for {_LARGE_GALLERY:,} enrolled", False, _LARGE_GALLERY),
)


@dataclass(slots=True)
class Tally:
    """What came of all splits; failures by the photo's name."""

    found: list[float] = field(default_factory=list)
    let_in: list[float] = field(default_factory=list)
    sizes: list[tuple[int, int, int]] = field(default_factory=list)
    cuts: list[float] = field(default_factory=list)
    promised: list[float] = field(default_factory=list)
    hits: int = 0
    taken: int = 0
    visits: int = 0
    entered: int = 0
    strangers: int = 0
    not_found: Counter[str] = field(default_factory=Counter)
    intruders: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)


def report_open_set(photos: Photos) -> None:
    """Enrols whoever has more than three photos by three chosen at random; their others and strangers come.

    In each split a random quarter of these people stays a stranger, so that strangers change as well; the
    intervals hold 95 of 100 splits in each of which people count as often as a bootstrap draws them.
    """
    eligible = [rows for rows in photos.of_each.values() if len(rows) > PHOTOS_EACH]
    if len(eligible) < 2:
        print("Open set: nobody has four photos.")
        return
    for protocol in PROTOCOLS:
        tally = _measured(photos, protocol)
        if not tally.sizes:
            print(f"Open set, {protocol.name}: too few people for a split.")
            continue
        _print(photos, protocol, tally)
        if protocol.gallery_size is None:
            _tell(protocol, tally)


def _measured(photos: Photos, protocol: Protocol) -> Tally:
    chance, tally = np.random.default_rng(2026), Tally()
    for _ in range(SPLITS):
        _one_split(photos, protocol, chance, tally)
    return tally


def _one_split(photos: Photos, protocol: Protocol, chance: np.random.Generator, tally: Tally) -> None:
    owners, means, visits, strangers = _drawn(photos, protocol, chance)
    if not (len(owners) and len(visits) and len(strangers)):
        return
    weights = dict(zip(photos.of_each, chance.poisson(1, len(photos.of_each)), strict=True))
    size = protocol.gallery_size or len(owners)
    cut = face_threshold(one_in=SiteRules().one_in_identifying, gallery_size=size)
    scores = photos.templates[visits] @ means.T
    opened = scores.max(1) >= cut
    known = owners[scores.argmax(1)] == photos.people[visits]
    foreign = (photos.templates[strangers] @ means.T).max(1) >= cut
    tally.found.append(_weighted(opened & known, photos.people[visits], weights))
    tally.let_in.append(_weighted(foreign, photos.people[strangers], weights))
    tally.sizes.append((len(owners), len(visits), len(strangers)))
    tally.cuts.append(cut)
    tally.promised.append(1 / wrong_openings_one_in(cut, len(owners)))
    tally.hits += int((opened & known).sum())
    tally.taken += int((opened & ~known).sum())
    tally.visits += len(visits)
    tally.entered += int(foreign.sum())
    tally.strangers += len(strangers)
    tally.not_found.update(photos.names[row] for row in visits[~(opened & known)])
    tally.intruders.update(photos.names[row] for row in strangers[foreign])
    tally.came.update(photos.names[row] for row in (*visits, *strangers))


def _weighted(hits: NDArray[np.bool_], people: NDArray[np.str_], weights: dict[str, int]) -> float:
    """The share in a world where each of these people is met so often: the bootstrap, person by person."""
    by = np.array([weights[str(person)] for person in people])
    return float(hits @ by / by.sum()) if by.any() else float(hits.mean())


def _drawn(
    photos: Photos, protocol: Protocol, chance: np.random.Generator
) -> tuple[NDArray[np.str_], NDArray[np.float32], NDArray[np.intp], NDArray[np.intp]]:
    """Who is enrolled, their templates, and the rows of visits and of strangers."""
    owners, means, visits, strangers = [], [], [], []
    for person, rows in photos.of_each.items():
        stays_away = len(rows) <= PHOTOS_EACH or chance.random() < _AWAY
        order = np.array(rows) if stays_away else chance.permutation(rows)
        chosen = None if stays_away else _chosen(photos, order, gated=protocol.gated)
        if chosen is None:
            strangers.extend(rows)
            continue
        owners.append(person)
        means.append(faces.enrol_template(list(photos.templates[chosen])))
        visits.extend(row for row in order if row not in chosen)
    keep = photos.usable if protocol.gated else np.ones(len(photos.names), bool)
    came, foreign = np.array(visits, np.intp), np.array(strangers, np.intp)
    return np.array(owners), np.array(means), came[keep[came]], foreign[keep[foreign]]


def _chosen(photos: Photos, order: NDArray[np.intp], *, gated: bool) -> list[int] | None:
    """Three photos to enrol, in this order; None where the product would ask for more."""
    able = [int(row) for row in order if not gated or photos.enrollable[row]]
    chosen = able[:PHOTOS_EACH]
    if not gated:
        return chosen
    templates = photos.templates[chosen]
    cut = face_threshold(one_in=SAME_PERSON_ONE_IN, gallery_size=1, enrolled_frames=1)
    odd = odd_ones_out((templates @ templates.T).tolist(), cut)
    return chosen if len(chosen) == PHOTOS_EACH and not odd else None


def _print(photos: Photos, protocol: Protocol, tally: Tally) -> None:
    enrolled, visits, strangers = (int(np.median(column)) for column in zip(*tally.sizes, strict=True))
    print(f"Open set, {protocol.name}: {SPLITS} random splits of about {enrolled} enrolled by three photos,")
    print(f"  {visits} visits and {strangers} strangers; cut {np.median(tally.cuts):.3f} at the median")
    for name, hits, of, each in (
        ("strangers let in", tally.entered, tally.strangers, tally.let_in),
        ("enrolled found", tally.hits, tally.visits, tally.found),
    ):
        low, high = spread(each)
        print(f"  {name:18} {hits / of:8.3%}  (95 %: {low:.3%} to {high:.3%})")
    print(f"  promised           {np.median(tally.promised):8.3%}  of strangers at most")
    print(f"  taken for another  {tally.taken / tally.visits:8.3%}")
    for title, names in (("not found", tally.not_found), ("let in", tally.intruders)):
        for name, count in names.most_common(_SHOWN):
            doubt = "" if photos.usable[photos.row_of[name]] else "; a door asks for a better look"
            print(f"    {title}: {name} in {count} of {tally.came[name]} splits it came in{doubt}")


def _tell(protocol: Protocol, tally: Tally) -> None:
    entered, found = tally.entered / tally.strangers, tally.hits / tally.visits
    for name, value, each, limit, met in (
        ("strangers let in", entered, tally.let_in, "<= 0.6 %", entered <= STRANGERS_LIMIT),
        ("enrolled found", found, tally.found, ">= 99 %", found >= FOUND_LIMIT),
    ):
        low, high = spread(each)
        tell(Figure(f"{name}, {protocol.name}", f"{value:.2%} (95 %: {low:.2%} to {high:.2%})", limit, met))
