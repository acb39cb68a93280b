from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.core.errors import Unavailable
from doorward.core.wire import PlateEvidence
from doorward.vision.liveness import Failed, Failure, Measured, Outcome, Passed, Pending
from doorward.vision.model import Box, FaceDetection, FaceObservation, FaceProblem, FaceQuality
from doorward.vision.sources import Frame, SourceStatistics
from doorward_edge.drivers.simulated import SilentPrompt
from doorward_edge.passage import Seen
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.faces import TOO_BRIEF, FaceWatch, watch_faces
from doorward_edge.watcher.plates import NO_PLATE, watch_plates

IMAGE = np.zeros((48, 64, 3), np.uint8)


class Reel:
    """A source of frames whose number tells what is in them."""

    def __init__(self, count: int, *, still: bool = False, rate: float = 10.0, breaks: bool = False) -> None:
        self._frames = iter(range(count))
        self._still, self._rate, self._breaks = still, rate, breaks
        self._delivered = 0
        self.closed = False

    @property
    def statistics(self) -> SourceStatistics:
        return SourceStatistics(decoded=self._delivered + 5, delivered=self._delivered, dropped=2)

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        number = next(self._frames, None)
        if number is None:
            if self._breaks:
                raise Unavailable("The video broke off.")
            raise StopIteration
        self._delivered += 1
        image = np.full_like(IMAGE, number % 256)
        return Frame(image, number / self._rate, number, self._still)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


def face(who: int, *, x: float = 0.0, problem: FaceProblem | None = None) -> FaceObservation:
    template = np.zeros(128, np.float32)
    template[who] = 1.0
    quality = FaceQuality(
        norm=12.0,
        eye_distance_px=40,
        yaw_degrees=0,
        sharpness=100,
        brightness=120,
        visible=1,
        problem=problem,
    )
    detection = FaceDetection(Box(x, 0, 40, 40), np.zeros((5, 2), np.float32), 0.9)
    return FaceObservation(detection, template, quality, np.zeros((112, 112, 3), np.uint8))


def script(frames: dict[range, list[FaceObservation]]) -> Any:
    def observe(image: NDArray[np.uint8]) -> Sequence[FaceObservation]:
        number = int(image[0, 0, 0])
        return next((faces for span, faces in frames.items() if number in span), [])

    return observe


def watch(reel: Reel, how: FaceWatch, statistics: AgentStatistics | None = None) -> list[Seen]:
    budget = FrameBudget(most_per_second=1000, adapts=False)
    found = watch_faces(reel, how, budget=budget, statistics=statistics or AgentStatistics())
    return [seen for seen in found if seen is not None and not seen.waits]


def test_one_person_over_many_frames_is_one_sighting() -> None:
    reel = Reel(60)
    (seen,) = watch(reel, FaceWatch(observe=script({range(50): [face(1)]})))
    assert seen.face
    assert seen.frames == 3
    assert seen.face.liveness_passed is None
    assert reel.closed


def test_two_people_are_two_sightings() -> None:
    both = [face(1), face(2, x=100)]
    assert len(watch(Reel(30), FaceWatch(observe=script({range(30): both})))) == 2


@pytest.mark.parametrize(
    ("faces", "problem"),
    [
        ({range(5): [face(1, problem=FaceProblem.TOO_DARK)]}, FaceProblem.TOO_DARK.advice),
        ({range(1): [face(1)]}, TOO_BRIEF),
        ({}, FaceProblem.NO_FACE.advice),
    ],
)
def test_whoever_cannot_be_recognised_is_told_one_reason(
    faces: dict[range, list[FaceObservation]], problem: str
) -> None:
    (seen,) = watch(Reel(40), FaceWatch(observe=script(faces)))
    assert (seen.problem, seen.kinds) == (problem, ())


def test_a_photo_is_a_sighting_of_its_own_and_says_nothing_of_liveness() -> None:
    how = FaceWatch(observe=script({range(2): [face(1)]}), new_check=lambda: Scripted([]))
    seen = watch(Reel(3, still=True), how)
    assert [one.kinds for one in seen] == [("face",), ("face",), ()]
    assert seen[0].face
    assert seen[0].face.liveness_passed is None
    assert seen[2].problem == FaceProblem.NO_FACE.advice


def test_a_video_that_breaks_off_raises_its_reason_and_closes() -> None:
    reel = Reel(20, breaks=True)
    with pytest.raises(Unavailable):
        watch(reel, FaceWatch(observe=script({range(20): [face(1)]})))
    assert reel.closed


class Scripted:
    """A detector that gives one outcome after the other."""

    def __init__(self, outcomes: list[Outcome], *, who: int | None = 7) -> None:
        self._outcomes = outcomes
        self._who = who

    def see(self, image: NDArray[np.uint8], face: FaceObservation | None, at_seconds: float) -> Outcome:
        return self._outcomes.pop(0) if self._outcomes else Pending(None, 0)

    def measured(self) -> Measured | None:
        return None if self._who is None else Measured(face(self._who).template, 9)


@pytest.mark.parametrize(
    ("detector", "passed"),
    [
        (Scripted([Pending(None, 0), Passed(1.0)]), True),
        (Scripted([Pending(None, 0), Passed(1.0)], who=None), False),
        (Scripted([Failed(Failure.FLAT)]), False),
        (Scripted([]), False),
    ],
)
def test_with_a_challenge_each_face_says_whether_it_passed(detector: Scripted, passed: bool) -> None:
    prompt = SilentPrompt()
    how = FaceWatch(observe=script({range(20): [face(1)]}), new_check=lambda: detector, prompt=prompt)
    (seen,) = watch(Reel(20), how)
    assert seen.face
    assert seen.face.liveness_passed is passed
    assert prompt.sentences


def who(seen: Seen) -> int:
    """Whose template travels."""
    assert seen.face
    return int(seen.face.template.argmax())


def test_whoever_does_the_challenge_is_who_is_identified() -> None:
    detector = Scripted([Pending(None, 0), Passed(1.0)], who=2)
    (seen,) = watch(Reel(8), FaceWatch(observe=script({range(8): [face(1)]}), new_check=lambda: detector))
    assert (who(seen), seen.frames) == (2, 9)


def test_somebody_seen_in_too_few_frames_is_not_sent() -> None:
    how = FaceWatch(frames_needed=5, observe=script({range(3): [face(1)]}))
    (seen,) = watch(Reel(40), how)
    assert (seen.kinds, seen.problem) == ((), TOO_BRIEF)


def test_a_second_person_in_view_has_a_turn_after_the_first() -> None:
    detectors = [Scripted([*[Pending(None, 0)] * 8, Passed(1.0)], who=number) for number in (1, 2)]
    both = [face(1), face(2, x=100)]
    how = FaceWatch(observe=script({range(60): both}), new_check=lambda: detectors.pop(0))
    assert [who(seen) for seen in watch(Reel(60), how)] == [1, 2]


def test_a_passer_by_keeps_nobody_waiting() -> None:
    begun: list[int] = []

    def new_check() -> Scripted:
        begun.append(1)
        return Scripted([Pending(None, 0), Passed(1.0)], who=2)

    walks_by = {range(2): [face(1)], range(15, 40): [face(2, x=100)]}
    how = FaceWatch(observe=script(walks_by), new_check=new_check)
    assert [who(seen) for seen in watch(Reel(40), how) if seen.face] == [2]
    assert begun == [1]


def test_while_somebody_is_checked_the_agent_is_told_to_wait() -> None:
    detector = Scripted([*[Pending(None, 0)] * 4, Passed(1.0)])
    how = FaceWatch(observe=script({range(20): [face(1)]}), new_check=lambda: detector)
    found = watch_faces(
        Reel(20), how, budget=FrameBudget(most_per_second=1000, adapts=False), statistics=AgentStatistics()
    )
    assert [seen.waits for seen in found if seen is not None] == [True] * 4 + [False]


def test_frames_are_counted() -> None:
    statistics = AgentStatistics()
    watch(Reel(10), FaceWatch(observe=script({})), statistics)
    assert (statistics.frames_decoded, statistics.frames_examined) == (15, 10)
    assert (statistics.frames_dropped, statistics.frames_passed_over) == (2, 3)


@pytest.mark.parametrize(("cost", "rate"), [(0.0, 12.0), (0.01, 12.0), (0.1, 8.0), (0.2, 4.0), (5.0, 2.0)])
def test_the_frame_rate_follows_from_what_a_frame_costs(cost: float, rate: float) -> None:
    budget = FrameBudget()
    for _ in range(50):
        budget.spent(cost)
    assert budget.per_second == pytest.approx(rate)
    wanted = sum(budget.wants(number / 25) for number in range(250))
    assert wanted == pytest.approx(rate * 10, rel=0.1, abs=1)
    assert wanted + budget.passed_over == 250


def test_a_camera_that_starts_again_is_looked_at_again() -> None:
    budget = FrameBudget(most_per_second=1)
    assert budget.wants(1000.0)
    assert budget.wants(0.0)


class Follower:
    """Settles one car at its third frame."""

    def __init__(self, *, finds: bool) -> None:
        self._count = 0
        self._finds = finds

    def add(self, image: NDArray[np.uint8], *, at: float, is_still: bool) -> list[PlateEvidence]:
        self._count += 1
        if self._count != 3 or not self._finds:
            return []
        return [PlateEvidence(candidates=(("AB123C", 0.9),), minimum_character_confidence=0.9, frames=3)]

    def finish(self) -> list[PlateEvidence]:
        return []


@pytest.mark.parametrize(("finds", "kinds", "problem"), [(True, ("plate",), None), (False, (), NO_PLATE)])
def test_a_car_is_one_sighting_and_no_car_one_reason(
    finds: bool, kinds: tuple[str, ...], problem: str | None
) -> None:
    found = watch_plates(
        Reel(9), Follower(finds=finds), budget=FrameBudget(adapts=False), statistics=AgentStatistics()
    )
    (seen,) = [one for one in found if one is not None]
    assert (seen.kinds, seen.problem) == (kinds, problem)
