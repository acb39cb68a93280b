"""Decides a challenge from cues alone: same cues, same verdict; whatever is in doubt is not passed."""

import math
from dataclasses import dataclass, field

import numpy as np

from doorward.vision.liveness.blink import BlinkWatch
from doorward.vision.liveness.model import (
    Challenge,
    Failed,
    Failure,
    LivenessCue,
    Measured,
    Outcome,
    Passed,
    Pending,
    Step,
)
from doorward.vision.liveness.turn import Turn, TurnWatch
from doorward.vision.model import FaceTemplate

CALM_FRAMES = 5
FRONTAL_DEGREES = 12.0
LONGEST_GAP_SECONDS = 0.6
# Cosine of templates: between neighbouring frames, and of any frame with the calm look at the start.
NEIGHBOUR_LIKENESS = 0.55
TRACK_LIKENESS = 0.40
# How far a face may jump between two frames, in distances between its eyes per second, and without time.
JUMP_PER_SECOND, JUMP_ALLOWED = 8.0, 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Calm:
    """The face as it looked straight ahead before the first step."""

    template: FaceTemplate
    blink: BlinkWatch
    turn: TurnWatch


@dataclass(slots=True)
class ChallengeJudge:
    """Fed with the cues of one track in order of time; once it passed or failed it stays so."""

    challenge: Challenge
    _began: float | None = None
    _last: LivenessCue | None = None
    _calm_cues: list[LivenessCue] = field(default_factory=list)
    _calm: Calm | None = None
    _done: int = 0
    _alike: int = 0
    _step_began: float = 0.0
    _outcome: Outcome = field(default_factory=lambda: Pending(None, 0))

    def see(self, cue: LivenessCue) -> Outcome:
        """The verdict after one more frame."""
        if isinstance(self._outcome, Pending):
            self._outcome = self._breach(cue) or self._progress(cue)
            self._last = cue
        return self._outcome

    def wait(self, at_seconds: float) -> Outcome:
        """The verdict after a frame in which the face was not found."""
        if isinstance(self._outcome, Pending):
            if self._began is None:
                self._began = at_seconds
            late = self._is_late(at_seconds)
            if late or (self._last is not None and self._gap(at_seconds)):
                self._outcome = Failed(Failure.TOO_LATE if late else Failure.LOST)
        return self._outcome

    def measured(self) -> Measured | None:
        """The calm look at the start, and how many frames were alike to it; None before there was one."""
        return None if self._calm is None else Measured(self._calm.template, self._alike)

    def is_same_face(self, template: FaceTemplate) -> bool:
        """Whether a template is of the face that looked straight ahead at the start."""
        return self._calm is not None and _likeness(self._calm.template, template) >= TRACK_LIKENESS

    def _breach(self, cue: LivenessCue) -> Failed | None:
        """Broken continuity or time."""
        if self._began is None:
            self._began = cue.at_seconds
        if not _is_sound(cue) or (self._last is not None and self._gap(cue.at_seconds)):
            return Failed(Failure.LOST)
        if self._is_late(cue.at_seconds):
            return Failed(Failure.TOO_LATE)
        if self._last is not None and _jumps(self._last, cue):
            return Failed(Failure.LOST)
        return Failed(Failure.OTHER_FACE) if self._changed_face(cue) else None

    def _gap(self, at_seconds: float) -> bool:
        assert self._last is not None
        return not 0 < at_seconds - self._last.at_seconds <= LONGEST_GAP_SECONDS

    def _is_late(self, at_seconds: float) -> bool:
        if self._calm is None:
            began = at_seconds if self._began is None else self._began
            return at_seconds - began > self.challenge.settle_seconds
        return at_seconds - self._step_began > self.challenge.step_seconds

    def _changed_face(self, cue: LivenessCue) -> bool:
        if self._last is not None and not _likeness(self._last.template, cue.template) >= NEIGHBOUR_LIKENESS:
            return True
        return self._calm is not None and not self.is_same_face(cue.template)

    def _progress(self, cue: LivenessCue) -> Outcome:
        if self._calm is None:
            self._settle(cue)
            return self._pending()
        self._alike += 1
        step = self.challenge.steps[self._done]
        turn = self._calm.turn.see(cue)
        if turn is Turn.FLAT:
            return Failed(Failure.FLAT)
        if turn in (Turn.LEFT, Turn.RIGHT) and turn.value != step.value:
            return Failed(Failure.WRONG_STEP)
        closed_and_open = step is Step.BLINK and self._calm.blink.see(cue)
        return self._next(cue) if closed_and_open or turn.value == step.value else self._pending()

    def _settle(self, cue: LivenessCue) -> None:
        """Take several calm, frontal frames in a row as what this face looks like."""
        frontal = abs(cue.yaw_degrees) <= FRONTAL_DEGREES and cue.lids is not None
        self._calm_cues = [*self._calm_cues, cue] if frontal else []
        if len(self._calm_cues) < CALM_FRAMES:
            return
        mean = np.mean([calm.template for calm in self._calm_cues], axis=0)
        self._calm = Calm(
            (mean / np.linalg.norm(mean)).astype(np.float32),
            BlinkWatch.of(self._calm_cues),
            TurnWatch.of(self._calm_cues),
        )
        self._step_began, self._alike = cue.at_seconds, CALM_FRAMES

    def _next(self, cue: LivenessCue) -> Outcome:
        assert self._calm is not None
        self._done += 1
        self._step_began = cue.at_seconds
        self._calm.turn.reset()
        self._calm.blink.reset()
        return Passed(cue.at_seconds) if self._done == len(self.challenge.steps) else self._pending()

    def _pending(self) -> Pending:
        step = None if self._calm is None else self.challenge.steps[self._done]
        return Pending(step, self._done)


def _likeness(one: FaceTemplate, other: FaceTemplate) -> float:
    return float(np.dot(one, other))


def _is_sound(cue: LivenessCue) -> bool:
    return (
        math.isfinite(cue.at_seconds)
        and math.isfinite(cue.yaw_degrees)
        and bool(np.isfinite(cue.landmarks).all())
        and bool(np.isfinite(cue.template).all())
    )


def _jumps(before: LivenessCue, after: LivenessCue) -> bool:
    """Whether a face is suddenly elsewhere or of another size, as when one picture replaces another."""
    size = float(np.hypot(*(before.landmarks[1] - before.landmarks[0]))) or 1.0
    way = float(np.hypot(*(after.landmarks.mean(axis=0) - before.landmarks.mean(axis=0)))) / size
    return not way <= JUMP_ALLOWED + JUMP_PER_SECOND * (after.at_seconds - before.at_seconds)
