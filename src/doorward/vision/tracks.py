"""Joins what several frames show into one sighting a person, so that no single frame ever decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from doorward.core.errors import Invalid
from doorward.vision.faces import enrol_template
from doorward.vision.model import Box, FaceObservation, FaceQuality, FaceTemplate

# Below this cosine to the track's own mean, a frame shows somebody else (false match rate about 1 in 5,000).
ALIKE = 0.40
_SAME_PLACE = 0.3
_FEWEST_FRAMES = 2
_NO_PAIR = -1.0


def associate(
    earlier: Sequence[Box],
    now: Sequence[Box],
    *,
    least: float = _SAME_PLACE,
    score: Callable[[int, int], float] | None = None,
) -> list[tuple[int, int]]:
    """Which box of the earlier frame is which box now: pairs of positions, each used once, best pair first.

    `score(i, j)` says how well `earlier[i]` fits `now[j]`, by default how much they overlap (0 to 1); pairs
    below `least` are left apart. Works for faces, cars and plates alike.
    """
    fits = score or (lambda i, j: earlier[i].overlap(now[j]))
    scored = [(fits(i, j), i, j) for i in range(len(earlier)) for j in range(len(now))]
    pairs: list[tuple[int, int]] = []
    used_earlier: set[int] = set()
    used_now: set[int] = set()
    for value, i, j in sorted(scored, key=lambda one: (-one[0], one[1], one[2])):
        if value < least:
            break
        if i not in used_earlier and j not in used_now:
            used_earlier.add(i)
            used_now.add(j)
            pairs.append((i, j))
    return pairs


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """One person seen in `frames` agreeing frames; `template` is the mean of the best of them.

    `agreed` is False when the person left before enough frames agreed: enough for a log, never for a door.
    Times are seconds on the source's own clock. `best` is the observation of greatest norm.
    """

    number: int
    template: FaceTemplate
    frames: int
    agreed: bool
    quality: FaceQuality
    best: FaceObservation
    first_seen_seconds: float
    last_seen_seconds: float


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    first_seen: float
    last_seen: float
    votes: int = 0
    best: list[FaceObservation] = field(default_factory=list)
    mean: FaceTemplate | None = None
    told_at: float | None = None

    def fit(self, seen: FaceObservation) -> float:
        """By likeness once the track knows whose it is; by place where either side can't tell."""
        overlap = self.box.overlap(seen.detection.box)
        if self.mean is None or seen.quality.problem is not None:
            return overlap if overlap >= _SAME_PLACE else _NO_PAIR
        likeness = float(self.mean @ seen.template)
        return 1.0 + likeness + overlap if likeness >= ALIKE else _NO_PAIR

    def take(self, seen: FaceObservation, *, at: float, best_frames: int) -> None:
        self.box, self.last_seen = seen.detection.box, at
        if seen.quality.problem is not None:
            return
        self.votes += 1
        self.best = sorted([*self.best, seen], key=lambda one: -one.quality.norm)[:best_frames]
        self.mean = enrol_template([one.template for one in self.best])

    def vote_anew(self) -> None:
        self.votes, self.best, self.mean, self.told_at = 0, [], None, None


class FaceTracker:
    """Follows faces through the frames of one camera and tells each person once.

    A person is told as soon as `frames_needed` usable frames agree, or on leaving (unseen for
    `patience_seconds`) when at least two did. Frames with a quality problem keep a track alive, never vote.
    One frame is enough only when the source is `still`: each frame is then a photo of its own. With
    `again_seconds`, somebody who stays is judged anew after that time, from new frames. For one thread.
    """

    def __init__(
        self,
        *,
        still: bool = False,
        frames_needed: int = 3,
        best_frames: int = 5,
        patience_seconds: float = 1.0,
        again_seconds: float | None = None,
    ) -> None:
        if not still and frames_needed < _FEWEST_FRAMES:
            raise Invalid("A moving picture needs at least two agreeing frames.")
        self._still = still
        self._needed = 1 if still else frames_needed
        self._best_frames = best_frames
        self._patience = patience_seconds
        self._again = again_seconds
        self._tracks: list[_Track] = []
        self._count = 0

    def add(self, observations: Sequence[FaceObservation], *, at: float) -> list[FaceTrack]:
        """The people whom this frame, taken at `at` seconds, settles: enough votes, or gone."""
        left = self._end(lambda track: abs(at - track.last_seen) > self._patience)
        self._renew(at)
        pairs = associate(
            [track.box for track in self._tracks],
            [seen.detection.box for seen in observations],
            least=0.0,
            score=lambda i, j: self._tracks[i].fit(observations[j]),
        )
        for i, j in pairs:
            self._tracks[i].take(observations[j], at=at, best_frames=self._best_frames)
        known = {j for _, j in pairs}
        for j, seen in enumerate(observations):
            if j not in known:
                self._begin(seen, at)
        settled = self._settled(at)
        if self._still:
            self._tracks.clear()
        return left + settled

    def finish(self) -> list[FaceTrack]:
        """The people still in view when the source ends; the tracker is empty afterwards."""
        return self._end(lambda _: True)

    def _begin(self, seen: FaceObservation, at: float) -> None:
        self._count += 1
        track = _Track(self._count, seen.detection.box, at, at)
        track.take(seen, at=at, best_frames=self._best_frames)
        self._tracks.append(track)

    def _renew(self, at: float) -> None:
        for track in self._tracks:
            if self._again is not None and track.told_at is not None and at - track.told_at >= self._again:
                track.vote_anew()

    def _settled(self, at: float) -> list[FaceTrack]:
        ready = [track for track in self._tracks if track.told_at is None and track.votes >= self._needed]
        for track in ready:
            track.told_at = at
        return [self._result(track) for track in ready]

    def _end(self, is_over: Callable[[_Track], bool]) -> list[FaceTrack]:
        over = [track for track in self._tracks if is_over(track)]
        self._tracks = [track for track in self._tracks if not is_over(track)]
        untold = [track for track in over if track.told_at is None and track.votes >= _FEWEST_FRAMES]
        return [self._result(track) for track in untold]

    def _result(self, track: _Track) -> FaceTrack:
        best = track.best[0]
        return FaceTrack(
            number=track.number,
            template=enrol_template([one.template for one in track.best]),
            frames=track.votes,
            agreed=track.votes >= self._needed,
            quality=best.quality,
            best=best,
            first_seen_seconds=track.first_seen,
            last_seen_seconds=track.last_seen,
        )
