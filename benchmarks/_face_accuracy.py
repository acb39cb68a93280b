"""How well two photos are told apart: by folds of pairs, and over all pairs there are."""

import numpy as np

from benchmarks._face_photos import Pair, Photos
from benchmarks._face_statistics import Scores, Share, told_right
from benchmarks._figures import Figure, tell
from doorward.vision import faces
from doorward.vision.thresholds import ONE_PHOTO, SEVERAL_PHOTOS, face_threshold

LIMIT = 0.994
_USUAL_CUT = 0.363
_SHOWN = 40
_BLOCK = 1_000
_CHOICES = 30
NO_FACE = -1.0


def report_pairs(photos: Photos, pairs: list[Pair]) -> None:
    """Accuracy fold by fold, each judged with the cut that was best on the others, and every mistake.

    A photo in which no face is found tells its pair wrong; a pair whose photo is not there is left out.
    """
    row_of = photos.row_of
    known = row_of.keys() | photos.without_face
    there = [pair for pair in pairs if pair.first in known and pair.second in known]
    if not there:
        return
    scores = np.array([_score(photos, row_of, pair) for pair in there])
    same = np.array([pair.same for pair in there])
    folds = np.array([pair.fold for pair in there])
    right, cuts = told_right(scores, same, folds)
    right &= scores > NO_FACE
    print(f"{len(there)} pairs in {len(cuts)} folds ({len(pairs) - len(there)} listed without a photo):")
    for fold, cut in cuts.items():
        print(f"  fold {fold + 1}: {right[folds == fold].mean():.3%} with the cut {cut:.3f} of the others")
    print(f"Told right with those cuts  {Share(int(right.sum()), len(there))}")
    usual = ((scores > _USUAL_CUT) == same) & (scores > NO_FACE)
    print(f"Told right at {_USUAL_CUT} flat      {Share(int(usual.sum()), len(there))}")
    for place in np.nonzero(~right)[0][:_SHOWN]:
        kind = "same person" if same[place] else "two people "
        print(f"    wrong: {kind} {scores[place]:.3f}  {there[place].first}  {there[place].second}")
    share = Share(int(right.sum()), len(there))
    tell(
        Figure(
            f"LFW pairs told right, {len(cuts)} folds", str(share).strip(), ">= 99.4 %", share.value >= LIMIT
        )
    )


def _score(photos: Photos, row_of: dict[str, int], pair: Pair) -> float:
    if pair.first in photos.without_face or pair.second in photos.without_face:
        return NO_FACE
    return float(photos.templates[row_of[pair.first]] @ photos.templates[row_of[pair.second]])


def report_all_pairs(photos: Photos) -> None:
    """True accepts at fixed false accepts over all pairs, and what the promised cuts really let through."""
    genuine, foreign = _all_scores(photos)
    print(f"All pairs: {len(genuine)} of the same person, {len(foreign)} of two people")
    for rate in (1e-3, 1e-4, 1e-5):
        cut = foreign.cut_at(rate)
        print(f"  accepted at FAR {rate:.0e}: {Share(genuine.above(cut), len(genuine))} cut {cut:.3f}")
    for one_in in (1_000, 10_000, 100_000):
        cut = face_threshold(one_in=one_in, gallery_size=1, enrolled_frames=1)
        share = Share(foreign.above(cut), len(foreign))
        print(f"  promised 1 in {one_in:7,} wrong, cut {cut:.3f}: {share}")


def _all_scores(photos: Photos) -> tuple[Scores, Scores]:
    genuine, foreign = Scores(), Scores()
    _, person = np.unique(photos.people, return_inverse=True)
    count = len(photos.names)
    for start in range(0, count, _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, count))
        cosines = photos.templates[rows] @ photos.templates[start:].T
        later = np.arange(start, count)[None] > rows[:, None]
        alike = person[rows][:, None] == person[None, start:]
        genuine.add(cosines[later & alike])
        foreign.add(cosines[later & ~alike])
    return genuine, foreign


def report_table(photos: Photos) -> None:
    """The table behind every threshold beside what these photos say: one photo, and means of three."""
    _, single = _all_scores(photos)
    several, people = _against_means(photos)
    for name, curve, seen in (("one photo", ONE_PHOTO, single), ("mean of three", SEVERAL_PHOTOS, several)):
        for cosine, rate in curve:
            here = seen.above(cosine) / len(seen) if len(seen) else float("nan")
            print(f"  strangers at {cosine:.3f} against {name:14} table {rate:.1e}, these photos {here:.1e}")
    print(f"  (means: {people} people, {_CHOICES} random choices of three photos)")


def _against_means(photos: Photos) -> tuple[Scores, int]:
    """Everybody's photos against other people's means of three, over random choices of the three."""
    chance, scores = np.random.default_rng(1), Scores()
    able = {person: rows for person, rows in photos.of_each.items() if len(rows) >= 3}
    if not able:
        return scores, 0
    owners = np.array(list(able))
    for _ in range(_CHOICES):
        means = np.stack(
            [
                faces.enrol_template(list(photos.templates[chance.choice(rows, 3, replace=False)]))
                for rows in able.values()
            ]
        )
        scores.add((photos.templates @ means.T)[photos.people[:, None] != owners[None]])
    return scores, len(able)
