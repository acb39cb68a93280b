"""Leads one person through the check that tells people from pictures."""

from collections.abc import Callable, Sequence

from doorward.vision.liveness import (
    ChallengeDetector,
    Failed,
    Passed,
    Pending,
    PresentationAttackDetector,
    new_challenge,
)
from doorward.vision.model import FaceObservation
from doorward.vision.sources import Frame
from doorward.vision.tracks import FaceTrack, associate
from doorward_edge.ports import Prompt

NewCheck = Callable[[], PresentationAttackDetector]


def new_challenge_check() -> PresentationAttackDetector:
    """Our own challenge: three steps in random order."""
    return ChallengeDetector(new_challenge())


class Check:
    """One person's check; `track` is whom it is about."""

    def __init__(self, track: FaceTrack, detector: PresentationAttackDetector, prompt: Prompt | None) -> None:
        self.track = track
        self._detector = detector
        self._prompt = prompt
        self._box = track.best.detection.box
        self._said = ""

    def see(self, frame: Frame, observations: Sequence[FaceObservation]) -> bool | None:
        """True or False once it is known whether this is a person, None until then."""
        face = self._find(observations)
        outcome = self._detector.see(frame.image, face, frame.at_seconds)
        match outcome:
            case Passed():
                passed = self._is_the_same()
                self._say("Thank you." if passed else "Please start again, alone.")
                return passed
            case Failed(failure):
                self._say(failure.sentence)
                return False
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

    def _is_the_same(self) -> bool:
        """A challenge done by one face must not open for the template of another."""
        same = getattr(self._detector, "is_same_face", None)
        return bool(same(self.track.template)) if same is not None else True

    def _say(self, sentence: str) -> None:
        if self._prompt is not None and sentence != self._said:
            self._said = sentence
            self._prompt.say(sentence)
