"""One vote a car: reads of successive frames are joined until enough of them agree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from doorward.vision.model import Box
from doorward.vision.plates.model import PlateCandidate, PlateObservation
from doorward.vision.tracks import associate

NEAR = 0.05
LEAST_SHARE = 0.5
# Two of seven characters may differ between two reads of one plate; reads less alike are of two.
RESEMBLING = 0.7
_TWO_FRAMES = 2


@dataclass(frozen=True, slots=True)
class Voted:
    """A settled car: texts with their shares, the best read's weakest character, how many frames agree."""

    candidates: tuple[tuple[str, float], ...]
    minimum_character_confidence: float
    frames: int


@dataclass(slots=True)
class _Plate:
    """One car's text with all that may be misreads of it; what is counted spoke since it was told."""

    told: str | None = None
    weights: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    agreeing: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    surest: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def knows(self, text: str) -> bool:
        return text == self.told or text in self.agreeing

    def likeness(self, text: str) -> float:
        own = self.told or max(self.agreeing, key=lambda one: self.agreeing[one], default="")
        return 1.0 if self.knows(text) else SequenceMatcher(None, own, text, autojunk=False).ratio()

    def add(self, candidates: Sequence[PlateCandidate]) -> None:
        best = candidates[0]
        if best.text == self.told:
            self._count_anew()  # what spoke against it was misread
            return
        for candidate in candidates:
            self.weights[candidate.text] += candidate.probability
        self.agreeing[best.text] += 1
        self.surest[best.text] = max(self.surest[best.text], best.minimum_confidence)

    def vote(self) -> Voted:
        total = sum(self.weights.values())
        ranked = sorted(self.weights.items(), key=lambda item: -item[1])[:5]
        best = ranked[0][0]
        shares = tuple((text, weight / total) for text, weight in ranked)
        return Voted(shares, self.surest.get(best, 0.0), self.agreeing.get(best, 0))

    def settle(self, needed: int) -> Voted | None:
        if not self.weights:
            return None
        vote = self.vote()
        text, share = vote.candidates[0]
        if vote.frames < needed or share < LEAST_SHARE:
            return None
        self.told = text
        self._count_anew()
        return vote

    def _count_anew(self) -> None:
        self.weights.clear()
        self.agreeing.clear()
        self.surest.clear()


@dataclass(slots=True)
class _Place:
    """A place in the picture, which moves along with a car, and the plates that were read there."""

    box: Box
    seen_at: float
    plates: list[_Plate] = field(default_factory=list)

    def fit(self, read: PlateObservation) -> float:
        """By its text wherever it is, else by place: a car moves little between two frames."""
        knows = any(plate.knows(read.candidates[0].text) for plate in self.plates)
        return float(knows) + self.box.overlap(read.box)

    def add(self, read: PlateObservation, at: float) -> None:
        self.box, self.seen_at = read.box, at
        text = read.candidates[0].text
        alike = max(self.plates, key=lambda plate: plate.likeness(text), default=None)
        if alike is None or alike.likeness(text) < RESEMBLING:
            alike = _Plate()
            self.plates.append(alike)
        alike.add(read.candidates)

    def rest(self) -> list[Voted]:
        """What never settled: all that two frames said, else the best of it unless a car was told here."""
        votes = [plate.vote() for plate in self.plates if plate.told is None]
        twice = [vote for vote in votes if vote.frames >= _TWO_FRAMES]
        if twice or any(plate.told is not None for plate in self.plates):
            return twice
        return sorted(votes, key=lambda vote: -vote.candidates[0][1])[:1]


class PlateVote:
    """Follows cars through a video. A car that stays in view, moving or parked, is told once.

    Reads too unlike to be of one plate never share a vote: whoever takes another car's place stands for
    itself. Where as many frames again agree on another text than was told, that one is told as well.
    """

    def __init__(self, *, frames_needed: int = 3, forget_seconds: float = 10.0) -> None:
        self._needed = frames_needed
        self._forget = forget_seconds
        self._places: list[_Place] = []

    def add(self, reads: list[PlateObservation], *, at: float, is_still: bool = False) -> list[Voted]:
        """Cars that this frame settles; a still image settles at once and is one frame's worth."""
        if is_still:
            return [_alone(read) for read in reads]
        self._places = [place for place in self._places if abs(at - place.seen_at) <= self._forget]
        pairs = associate(
            [place.box for place in self._places],
            [read.box for read in reads],
            least=NEAR,
            score=lambda i, j: self._places[i].fit(reads[j]),
        )
        for i, j in pairs:
            self._places[i].add(reads[j], at)
        known = {j for _, j in pairs}
        for j, read in enumerate(reads):
            if j not in known:
                self._places.append(_Place(read.box, at))
                self._places[-1].add(read, at)
        plates = [plate for place in self._places for plate in place.plates]
        return [vote for plate in plates if (vote := plate.settle(self._needed)) is not None]

    def finish(self) -> list[Voted]:
        """Cars still unsettled at the end, with however few frames they have."""
        rest = [vote for place in self._places for vote in place.rest()]
        self._places = []
        return rest


def _alone(read: PlateObservation) -> Voted:
    plate = _Plate()
    plate.add(read.candidates)
    return plate.vote()
