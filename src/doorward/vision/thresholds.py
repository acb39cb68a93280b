"""From "at most one wrong opening in N attempts" to the cosine that a face must reach, and back.

Method. The rate at which two different people's faces exceed a cosine was measured for SFace on all pairs of
7,701 photos (docs/decisions/0001-face-models.md). Between the measured points log(rate) is read as a straight
line; outside them the line goes on with the flattest slope measured. Real curves bend downwards in this
scale, so going on straight overstates the risk. A stranger meets everybody enrolled, so the rate for one
comparison must be 1 / (N * gallery): the sum over the gallery, never less than the true risk of any match.

Limits. The curve comes from press photos of mostly unrelated adults. Twins and close relatives are more alike
than any threshold can tell; a population unlike those photos can have other rates; nothing here speaks of
printed photos or screens. It promises a number per attempt by a stranger, not per day.
"""

import math
from itertools import pairwise

from doorward.core.errors import Invalid

# (cosine, false match rate of one comparison)
MEASURED = ((0.359, 1e-3), (0.415, 1e-4), (0.467, 1e-5))
# Below this OpenCV's own documents no longer call two faces the same person, however few are enrolled.
FLOOR = 0.363
# The mean of several photos is a better likeness of everybody: measured 0.54 % against 0.44 % at 0.50.
_SEVERAL_FRAMES_FACTOR = 1.25
_SEVERAL_FRAMES = 2

DEFAULT_ONE_IN_IDENTIFYING = 200
"""Promise of a door that searches everybody (1:N): with 1,700 enrolled the cut is 0.50."""
DEFAULT_ONE_IN_VERIFYING = 10_000
"""Promise of a door that first knows who claims to stand there (1:1)."""

_POINTS = tuple((cosine, math.log10(rate)) for cosine, rate in MEASURED)
_FLATTEST = max((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(_POINTS))


def face_threshold(*, one_in: int, gallery_size: int, enrolled_frames: int = 3) -> float:
    """The least cosine at which a door may take a face for an enrolled one.

    A stranger's attempt is then wrongly accepted at most once in `one_in`, with `gallery_size` people
    enrolled (1 for 1:1) from `enrolled_frames` photos each. At most 1.0, where nobody is let in: promises
    beyond what the model can tell keep the door shut.
    """
    if one_in < 1 or gallery_size < 1 or enrolled_frames < 1:
        raise Invalid("A promise needs at least one attempt, one person enrolled and one photo.")
    allowed = -math.log10(one_in) - math.log10(gallery_size) - math.log10(_likeness(enrolled_frames))
    return min(max(_cosine_at(allowed), FLOOR), 1.0)


def wrong_openings_one_in(threshold: float, gallery_size: int, *, enrolled_frames: int = 3) -> float:
    """One attempt by a stranger in how many is wrongly accepted at this cut, on average; at least 1."""
    if not -1.0 <= threshold <= 1.0 or gallery_size < 1 or enrolled_frames < 1:
        raise Invalid(
            "A threshold lies between -1 and 1, and at least one person is enrolled from one photo."
        )
    rate = _log_rate_at(threshold) + math.log10(gallery_size) + math.log10(_likeness(enrolled_frames))
    return math.pow(10.0, max(-rate, 0.0))


def _likeness(enrolled_frames: int) -> float:
    return _SEVERAL_FRAMES_FACTOR if enrolled_frames >= _SEVERAL_FRAMES else 1.0


def _cosine_at(log_rate: float) -> float:
    (first, first_rate), (last, last_rate) = _POINTS[0], _POINTS[-1]
    if log_rate >= first_rate:
        return first + (log_rate - first_rate) / _FLATTEST
    for (lower, high), (upper, low) in pairwise(_POINTS):
        if log_rate >= low:
            return lower + (upper - lower) * (log_rate - high) / (low - high)
    return last + (log_rate - last_rate) / _FLATTEST


def _log_rate_at(cosine: float) -> float:
    (first, first_rate), (last, last_rate) = _POINTS[0], _POINTS[-1]
    if cosine <= first:
        return first_rate + (cosine - first) * _FLATTEST
    for (lower, high), (upper, low) in pairwise(_POINTS):
        if cosine <= upper:
            return high + (low - high) * (cosine - lower) / (upper - lower)
    return last_rate + (cosine - last) * _FLATTEST
