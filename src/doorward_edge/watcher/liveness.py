"""Leads one person after the other through the check that tells people from pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from doorward.vision.liveness import (
    ChallengeDetector,
    Failed,
    Measured,
    Passed,
    Pending,
    PresentationAttackDetector,
    new_challenge,
)
from doorward.vision.model import FaceObservation
from doorward.vision.sources import Frame
from doorward.vision.tracks import ALIKE, FaceTrack, associate
from doorward_edge.ports import Prompt

NewCheck = Callable[[], PresentationAttackDetector]
FORGET_SECONDS: Final = 10.0


def new_challenge_check() -> PresentationAttackDetector:
    """Our own challenge: three steps in random order."""
    return ChallengeDetector(new_challenge())


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """How a check ended: whose face it showed if it was passed, None if it was not."""

    track: FaceTrack
    passed: Measured | None


class Check:
    """One person's check; `track` is whom it is about, `at` where they stand as it begins."""

    def __init__(
        self,
        track: FaceTrack,
        at: FaceObservation,
        detector: PresentationAttackDetector,
        prompt: Prompt | None,
    ) -> None:
        self.track = track
        self._detector = detector
        self._prompt = prompt
        self._box = at.detection.box
        self._said = ""

    def see(self, frame: Frame, observations: Sequence[FaceObservation]) -> Checked | None:
        """How it ended, None until then. Whoever did the challenge is who is identified, and nobody else."""
        face = self._find(observations)
        outcome = self._detector.see(frame.image, face, frame.at_seconds)
        match outcome:
            case Passed():
                measured = self._detector.measured()
                self._say("Thank you." if measured else "Please start again, alone.")
                return Checked(self.track, measured)
            case Failed(failure):
                self._say(failure.sentence)
                return Checked(self.track, None)
            case Pending():
                self._say(outcome.prompt)
                return None

    def _find(self, observations: Sequence[FaceObservation]) -> FaceObservation | None:
        boxes = [seen.detection.box for seen in observations]
        pairs = associate([self._box], boxes)
        if not pairs:
            return None
        self._box = boxes[pairs[0][1]]
        return observations[pairs[0][1]]

    def _say(self, sentence: str) -> None:
        if self._prompt is not None and sentence != self._said:
            self._said = sentence
            self._prompt.say(sentence)


class Checks:
    """One check at a time: a prompt speaks to one person. Whoever else is in view comes next."""

    def __init__(self, new_check: NewCheck, prompt: Prompt | None) -> None:
        self._new_check = new_check
        self._prompt = prompt
        self._check: Check | None = None
        self._waiting: dict[int, FaceTrack] = {}

    @property
    def is_running(self) -> bool:
        """Whether somebody is being led through a check."""
        return self._check is not None

    def see(
        self, frame: Frame, observations: Sequence[FaceObservation], settled: Sequence[FaceTrack]
    ) -> list[Checked]:
        """The checks that this frame ends; `settled` are the people whom it settles."""
        self._waiting |= {track.number: track for track in settled}
        if self._check is None:
            self._check = self._next(frame, observations)
        ended = self._check.see(frame, observations) if self._check is not None else None
        if ended is None:
            return []
        self._check = None
        self._waiting.pop(ended.track.number, None)
        return [ended]

    def finish(self) -> list[Checked]:
        """Nobody who is left has passed."""
        left = [self._check.track] if self._check is not None else []
        left += [one for one in self._waiting.values() if one.number not in {t.number for t in left}]
        self._check, self._waiting = None, {}
        return [Checked(track, None) for track in left]

    def _next(self, frame: Frame, observations: Sequence[FaceObservation]) -> Check | None:
        """Whoever waited for longest and stands here now; a check of somebody gone would block the rest."""
        for number, track in list(self._waiting.items()):
            seen = _find_again(track, observations)
            if seen is not None:
                del self._waiting[number]
                return Check(track, seen, self._new_check(), self._prompt)
            if abs(frame.at_seconds - track.last_seen_seconds) > FORGET_SECONDS:
                del self._waiting[number]
        return None


def _find_again(track: FaceTrack, observations: Sequence[FaceObservation]) -> FaceObservation | None:
    usable = [one for one in observations if one.quality.problem is None]
    likest = max(usable, key=lambda one: float(np.dot(track.template, one.template)), default=None)
    if likest is None or float(np.dot(track.template, likest.template)) < ALIKE:
        return None
    return likest
