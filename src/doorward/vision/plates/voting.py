"""One vote a car: reads of successive frames are joined until enough of them agree."""

from collections import defaultdict
from dataclasses import dataclass, field

from doorward.vision.model import Box
from doorward.vision.plates.model import PlateObservation

NEAR = 0.05
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Voted:
    """A settled car: texts with their shares, the best read's weakest character, how many frames agree."""

    candidates: tuple[tuple[str, float], ...]
    minimum_character_confidence: float
    frames: int


@dataclass(slots=True)
class _Car:
    box: Box
    seen_at: float
    frames: int = 0
    settled: bool = False
    weights: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    agreeing: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    surest: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, read: PlateObservation, at: float) -> None:
        self.box, self.seen_at = read.box, at
        self.frames += 1
        for candidate in read.candidates:
            self.weights[candidate.text] += candidate.probability
        best = read.candidates[0]
        self.agreeing[best.text] += 1
        self.surest[best.text] = max(self.surest[best.text], best.minimum_confidence)

    def vote(self) -> Voted:
        total = sum(self.weights.values())
        ranked = sorted(self.weights.items(), key=lambda item: -item[1])[:5]
        best = ranked[0][0]
        shares = tuple((text, weight / total) for text, weight in ranked)
        return Voted(shares, self.surest[best], self.agreeing[best])


class PlateVote:
    """Follows cars through a video. A car that stays in view, moving or parked, is told once."""

    def __init__(self, *, frames_needed: int = 3, forget_seconds: float = 10.0) -> None:
        self._needed = frames_needed
        self._forget = forget_seconds
        self._cars: list[_Car] = []

    def add(self, reads: list[PlateObservation], *, at: float, is_still: bool = False) -> list[Voted]:
        """Cars that this frame settles; a still image settles at once and is one frame's worth."""
        if is_still:
            return [_alone(read, at).vote() for read in reads]
        self._cars = [car for car in self._cars if abs(at - car.seen_at) <= self._forget]
        for read in reads:
            self._car_of(read, at).add(read, at)
        return [vote for car in self._cars if (vote := self._settle(car)) is not None]

    def finish(self) -> list[Voted]:
        """Cars still unsettled at the end, with however few frames they have."""
        rest = [car.vote() for car in self._cars if not car.settled and car.frames]
        self._cars = []
        return rest

    def _settle(self, car: _Car) -> Voted | None:
        if car.settled:
            return None
        vote = car.vote()
        if vote.frames < self._needed or vote.candidates[0][1] < LEAST_SHARE:
            return None
        car.settled = True
        return vote

    def _car_of(self, read: PlateObservation, at: float) -> _Car:
        """The same text, or overlapping boxes: a car moves little between two frames."""
        text = read.candidates[0].text
        same = [car for car in self._cars if text in car.agreeing]
        near = [car for car in self._cars if car.box.overlap(read.box) > NEAR]
        for car in (*same, *near):
            return car
        self._cars.append(_Car(read.box, at))
        return self._cars[-1]


def _alone(read: PlateObservation, at: float) -> _Car:
    car = _Car(read.box, at)
    car.add(read, at)
    return car
