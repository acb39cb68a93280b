"""From frames to people: one sighting for each person, or one plain reason why nobody could be seen."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from doorward.vision.faces import detect, observe_detected
from doorward.vision.model import FaceObservation, FaceProblem
from doorward.vision.sources import Frame, Source
from doorward.vision.tracks import FaceTrack, FaceTracker
from doorward_edge.passage import FaceSeen, Seen
from doorward_edge.ports import Prompt
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.liveness import Checked, Checks, NewCheck
from doorward_edge.watcher.looking import examined

MOST_FACES: Final = 3
TOO_BRIEF: Final = "Nobody stood still long enough: wait in front of the camera."
Observe = Callable[[NDArray[np.uint8]], Sequence[FaceObservation]]


def observe_nearest(image: NDArray[np.uint8]) -> list[FaceObservation]:
    """The largest faces of a frame with template and quality; those further back cost nothing."""
    return [observe_detected(image, face) for face in detect(image)[:MOST_FACES]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWatch:
    """How to look for people. With `new_check` each person must first prove to be none's picture.

    `again_seconds` judges somebody who stays anew after that time; None tells each person once.
    """

    frames_needed: int = 3
    patience_seconds: float = 1.0
    again_seconds: float | None = None
    new_check: NewCheck | None = None
    prompt: Prompt | None = None
    observe: Observe = observe_nearest


class _Presence:
    """Remembers what was wrong with faces from which no sighting came."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._problems: Counter[FaceProblem] = Counter()
        self._anybody = False
        self._told = False
        self._last = 0.0

    def see(self, observations: Sequence[FaceObservation], *, told: bool, at: float) -> None:
        self._told |= told
        if observations:
            self._anybody, self._last = True, at
            self._problems.update(o.quality.problem for o in observations if o.quality.problem)

    def complaint(self, at: float, *, is_over: bool = False) -> Seen | None:
        """Why somebody who has left was not seen well, if so; forgets them."""
        if not is_over and (not self._anybody or abs(at - self._last) <= self._patience):
            return None
        anybody, told, problems = self._anybody, self._told, self._problems
        self._anybody, self._told, self._problems = False, False, Counter()
        if not anybody or told:
            return None
        return Seen(problem=problems.most_common(1)[0][0].advice if problems else TOO_BRIEF)


def watch_faces(
    source: Source, watch: FaceWatch, *, budget: FrameBudget, statistics: AgentStatistics
) -> Iterator[Seen | None]:
    """Each person once, in the order they were settled; None after each frame that settled nobody, or a
    `Seen` that waits while somebody is being led through a check.

    Ends with the source and raises what it raises (`Invalid`, `Unavailable`); what was pending then is told
    first. A source without any face ends with one `Seen` that says so.
    """
    looker = _Looker(watch)
    frame: Frame | None = None
    try:
        for frame in examined(source, budget, statistics):
            found = looker.look(frame)
            yield from found or (looker.meanwhile(),)
    finally:
        statistics.frames_per_second = budget.per_second
    yield from looker.finish(frame.at_seconds if frame else 0.0)


class _Looker:
    def __init__(self, watch: FaceWatch) -> None:
        self._watch = watch
        self._tracker: FaceTracker | None = None
        self._presence = _Presence(watch.patience_seconds)
        self._checks = Checks(watch.new_check, watch.prompt) if watch.new_check else None
        self._anything = False

    def look(self, frame: Frame) -> list[Seen]:
        observations = self._watch.observe(frame.image)
        # Whoever left before enough frames agreed was seen too briefly for a door.
        settled = self._tracker_for(frame).add(observations, at=frame.at_seconds)
        tracks = [track for track in settled if track.agreed]
        told = self._tell(frame, observations, tracks)
        self._presence.see(observations, told=bool(tracks), at=frame.at_seconds)
        complaint = self._presence.complaint(frame.at_seconds, is_over=frame.is_still)
        if complaint is None and frame.is_still and not observations:
            complaint = Seen(problem=FaceProblem.NO_FACE.advice)
        return self._heard([*told, *([complaint] if complaint else [])])

    def _tracker_for(self, frame: Frame) -> FaceTracker:
        if self._tracker is None:
            self._tracker = FaceTracker(
                still=frame.is_still,
                frames_needed=self._watch.frames_needed,
                patience_seconds=self._watch.patience_seconds,
                again_seconds=self._watch.again_seconds,
            )
        return self._tracker

    def _tell(
        self, frame: Frame, observations: Sequence[FaceObservation], tracks: list[FaceTrack]
    ) -> list[Seen]:
        # A photo can't answer a challenge: what a still says of liveness is nothing.
        if self._checks is None or frame.is_still:
            return [_seen(track) for track in tracks]
        return [_checked(one) for one in self._checks.see(frame, observations, tracks)]

    def meanwhile(self) -> Seen | None:
        """What there is to say after a frame that settled nobody."""
        return Seen(waits=True) if self._checks is not None and self._checks.is_running else None

    def _heard(self, told: list[Seen]) -> list[Seen]:
        self._anything |= bool(told)
        return told

    def finish(self, at: float) -> Iterator[Seen]:
        """What the end of the source settles."""
        if self._checks is not None:
            yield from self._heard([_checked(one) for one in self._checks.finish()])
        tracks = [one for one in self._tracker.finish() if one.agreed] if self._tracker else []
        last = [_seen(one) if self._checks is None else _checked(Checked(one, None)) for one in tracks]
        yield from self._heard(last)
        self._presence.see([], told=bool(tracks), at=at)
        complaint = self._presence.complaint(at, is_over=True)
        if complaint is None and not self._anything:
            complaint = Seen(problem=FaceProblem.NO_FACE.advice)
        if complaint is not None:
            yield complaint


def _seen(track: FaceTrack) -> Seen:
    face = FaceSeen(template=track.template, frames=track.frames, quality=track.quality.norm)
    return Seen(face=face, frames=track.frames)


def _checked(ended: Checked) -> Seen:
    """With a check, the face that did it is the one that counts, not the one that walked up before it."""
    track, measured = ended.track, ended.passed
    face = FaceSeen(
        template=measured.template if measured else track.template,
        frames=measured.frames if measured else track.frames,
        quality=track.quality.norm,
        liveness_passed=measured is not None,
    )
    return Seen(face=face, frames=face.frames)
