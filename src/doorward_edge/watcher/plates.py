"""From frames to cars: one sighting for each plate that was read, or one plain reason why none was."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from doorward.core.wire import PlateEvidence
from doorward.vision.plates import Region, read
from doorward.vision.plates.voting import PlateVote, Voted
from doorward.vision.sources import Frame, Source
from doorward_edge.passage import Seen
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.looking import examined

NO_PLATE: Final = "No number plate could be read: bring the car nearer, in good light, and wipe the plate."


class PlateFollower(Protocol):
    """Reads plates frame by frame and votes on each car's until it is settled."""

    def add(self, image: NDArray[np.uint8], *, at: float, is_still: bool) -> Sequence[PlateEvidence]:
        """The cars that this frame, taken at `at` seconds, settles."""

    def finish(self) -> Sequence[PlateEvidence]:
        """The cars still in view when the source ends."""


class VotingFollower:
    """A `PlateFollower` over `doorward.vision.plates`: reads each frame, votes over a car's frames."""

    def __init__(self, region: Region, *, frames_needed: int = 3) -> None:
        self._region = region
        self._vote = PlateVote(frames_needed=frames_needed)

    def add(self, image: NDArray[np.uint8], *, at: float, is_still: bool) -> list[PlateEvidence]:
        """The cars that this frame settles."""
        reads = read(image, region=self._region)
        return [_evidence(car) for car in self._vote.add(reads, at=at, is_still=is_still)]

    def finish(self) -> list[PlateEvidence]:
        """The cars still unsettled, with however few frames they have."""
        return [_evidence(car) for car in self._vote.finish()]


def _evidence(car: Voted) -> PlateEvidence:
    return PlateEvidence(
        # Shares are sums of floats: one that is all of it may come out a hair above 1.
        candidates=tuple((text, min(share, 1.0)) for text, share in car.candidates),
        minimum_character_confidence=min(car.minimum_character_confidence, 1.0),
        frames=car.frames,
    )


def watch_plates(
    source: Source, follower: PlateFollower, *, budget: FrameBudget, statistics: AgentStatistics
) -> Iterator[Seen | None]:
    """Each car once; None after each frame that settled none. Ends and raises as its source does."""
    anything = False
    frame: Frame | None = None
    for frame in examined(source, budget, statistics):
        found = follower.add(frame.image, at=frame.at_seconds, is_still=frame.is_still)
        anything |= bool(found)
        yield from _seen(found) or (None,)
    last = _seen(follower.finish())
    yield from last
    if not anything and not last:
        yield Seen(problem=NO_PLATE)


def _seen(found: Sequence[PlateEvidence]) -> list[Seen]:
    return [Seen(plate=plate, frames=plate.frames) for plate in found]
