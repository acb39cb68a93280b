"""From "at most one wrong opening in N attempts" to the cosine that a face must reach, and back.

Method. The rate at which photos of one person exceed a cosine against another person's enrolled template was
measured for SFace (docs/decisions/0001-face-models.md): once for templates of one photo, once for means of
three, which resemble everybody a little more. Between the measured points log(rate) is read as a straight
line; outside them the line goes on with the flattest slope measured. Real curves bend downwards in this
scale, so going on straight overstates the risk. A stranger meets everybody enrolled, so the rate for one
comparison must be 1 / (N * gallery): the sum over the gallery, never less than the true risk of any match.

Limits. The curves come from press photos of mostly unrelated adults. Twins and close relatives are more alike
than any threshold can tell; a population unlike those photos can have other rates; nothing here speaks of
printed photos or screens. It promises a number per attempt by a stranger, not per day. The door's side was
measured with one photo; a mean of several frames of a visit resembles everybody a little more too.
"""

import math
from itertools import pairwise

from doorward.core.errors import Invalid

# (cosine, false match rate of one comparison)
ONE_PHOTO = ((0.359, 1e-3), (0.415, 1e-4), (0.467, 1e-5))
SEVERAL_PHOTOS = ((0.359, 2e-3), (0.415, 2.5e-4), (0.50, 3.2e-6))
# Below this OpenCV's own documents no longer call two faces the same person, however few are enrolled.
FLOOR = 0.363

_Curve = tuple[tuple[float, float], ...]


def face_threshold(*, one_in: int, gallery_size: int, enrolled_frames: int = 3) -> float:
    """The least cosine at which a door may take a face for an enrolled one.

    A stranger's attempt is then wrongly accepted at most once in `one_in`, with `gallery_size` people
    enrolled (1 for 1:1) from `enrolled_frames` photos each. At most 1.0, where nobody is let in: promises
    beyond what the model can tell keep the door shut.
    """
    if one_in < 1 or gallery_size < 1 or enrolled_frames < 1:
        raise Invalid("A promise needs at least one attempt, one person enrolled and one photo.")
    allowed = -math.log10(one_in) - math.log10(gallery_size)
    return min(max(_cosine_at(_curve(enrolled_frames), allowed), FLOOR), 1.0)


def wrong_openings_one_in(threshold: float, gallery_size: int, *, enrolled_frames: int = 3) -> float:
    """One attempt by a stranger in how many is wrongly accepted at this cut, on average; at least 1."""
    if not -1.0 <= threshold <= 1.0 or gallery_size < 1 or enrolled_frames < 1:
        raise Invalid(
            "A threshold lies between -1 and 1, and at least one person is enrolled from one photo."
        )
    rate = _log_rate_at(_curve(enrolled_frames), threshold) + math.log10(gallery_size)
    return math.pow(10.0, max(-rate, 0.0))


def _curve(enrolled_frames: int) -> _Curve:
    measured = ONE_PHOTO if enrolled_frames == 1 else SEVERAL_PHOTOS
    return tuple((cosine, math.log10(rate)) for cosine, rate in measured)


def _flattest(curve: _Curve) -> float:
    return max((low - high) / (upper - lower) for (lower, high), (upper, low) in pairwise(curve))


def _cosine_at(curve: _Curve, log_rate: float) -> float:
    (first, first_rate), (last, last_rate) = curve[0], curve[-1]
    if log_rate >= first_rate:
        return first + (log_rate - first_rate) / _flattest(curve)
    for (lower, high), (upper, low) in pairwise(curve):
        if log_rate >= low:
            return lower + (upper - lower) * (log_rate - high) / (low - high)
    return last + (log_rate - last_rate) / _flattest(curve)


def _log_rate_at(curve: _Curve, cosine: float) -> float:
    (first, first_rate), (last, last_rate) = curve[0], curve[-1]
    if cosine <= first:
        return first_rate + (cosine - first) * _flattest(curve)
    for (lower, high), (upper, low) in pairwise(curve):
        if cosine <= upper:
            return high + (low - high) * (cosine - lower) / (upper - lower)
    return last_rate + (cosine - last) * _flattest(curve)
