"""The caged decoder seen from outside: told what to play, read with a deadline, killed at will."""

import os
import threading
import time
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from doorward.vision.decoding import cage, pipes
from doorward.vision.sources.frame import Pixels
from doorward.vision.sources.wire import RECORD, Kind, Order

WORKER = "doorward.vision.sources.worker"
START_SECONDS = 20.0


class Ended(Enum):
    """Why no more pictures come."""

    AT_THE_END = auto()
    NOT_A_VIDEO = auto()
    NO_PICTURE = auto()
    REFUSED = auto()
    LOST = auto()
    TOO_LARGE = auto()
    SILENT = auto()
    STOPPED = auto()


_ENDINGS = {
    Kind.END: Ended.AT_THE_END,
    Kind.NOT_A_VIDEO: Ended.NOT_A_VIDEO,
    Kind.NO_PICTURE: Ended.NO_PICTURE,
    Kind.REFUSED: Ended.REFUSED,
    Kind.LOST: Ended.LOST,
    Kind.TOO_LARGE: Ended.TOO_LARGE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """One record: a sign of life, with a picture if one was due."""

    at_seconds: float
    image: Pixels | None


class Child:
    """One caged decoder playing one order."""

    def __init__(self, order: Order) -> None:
        self._longest_side = order.longest_side
        self._stall_seconds = order.stall_seconds
        self._process = cage.start(WORKER)
        self._killing = threading.Lock()
        self._killed = False
        self.counts = (0, 0, 0)  # decoded, late, unreadable
        assert self._process.stdin is not None and self._process.stdout is not None
        self._reading = self._process.stdout.fileno()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._process.stdin.fileno(), False)
        self._order: bytes | None = order.line()

    @property
    def pid(self) -> int:
        """The process that decodes."""
        return self._process.pid

    def read(self) -> Told | Ended:
        """The next record, or why there are no more; never waits longer than the order's stall time."""
        deadline = time.monotonic() + self._stall_seconds
        try:
            deadline += self._start(deadline)
            return self._record(deadline)
        except pipes.PipeTimeout:
            return Ended.SILENT
        except pipes.PipeClosed:
            return Ended.STOPPED

    def kill(self) -> None:
        """End the process at once; a reader in another thread sees it stop."""
        with self._killing:
            if not self._killed:
                self._process.kill()

    def collect(self) -> None:
        """Kill and clean up; only for the thread that reads."""
        with self._killing:
            self._killed = True
            cage.kill(self._process)

    def _start(self, deadline: float) -> float:
        """Hand over the order before the first read; the seconds that starting may take on top."""
        if self._order is None:
            return 0.0
        assert self._process.stdin is not None
        pipes.write_all(self._process.stdin.fileno(), self._order, deadline)
        self._process.stdin.close()
        self._order = None
        return START_SECONDS

    def _record(self, deadline: float) -> Told | Ended:
        kind, *counts, at_seconds, height, width = RECORD.unpack(
            pipes.read_exactly(self._reading, RECORD.size, deadline)
        )
        self.counts = (counts[0], counts[1], counts[2])
        if kind in _ENDINGS:
            return _ENDINGS[Kind(kind)]
        image = self._picture(height, width, deadline) if kind == Kind.FRAME else None
        return Told(at_seconds, image)

    def _picture(self, height: int, width: int, deadline: float) -> Pixels:
        # The child may be in a stranger's hands: it does not choose how much memory we take.
        if not (0 < height <= self._longest_side and 0 < width <= self._longest_side):
            raise pipes.PipeClosed
        image = np.empty((height, width, 3), np.uint8)
        pipes.read_into(self._reading, image.data.cast("B"), deadline)
        return image
