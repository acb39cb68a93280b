"""Cameras of the demo: what stands before them is drawn, what looks at it is the real recognition."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from doorward.vision.faces.rendering import render_person
from doorward.vision.plates import Region
from doorward.vision.plates.rendering import approach
from doorward.vision.sources import Frame, SourceStatistics

Pixels = NDArray[np.uint8]
Scene = Callable[[], Iterator[Pixels]]

FRAMES = 6
FRAMES_A_SECOND = 6.0
NOBODY: Pixels = np.full((480, 640, 3), 150, np.uint8)
MOST_WAITING = 3


class DrawnCamera:
    """A `Source` that shows each scene it is given, and in between waits without a frame."""

    def __init__(self) -> None:
        self._scenes: queue.Queue[Scene] = queue.Queue(MOST_WAITING)
        self._closed = threading.Event()
        self._frames: Iterator[Pixels] = iter(())
        self._count = 0
        self._began = time.monotonic()

    def show(self, scene: Scene) -> bool:
        """Let this pass before the camera; False while too many wait already."""
        try:
            self._scenes.put_nowait(scene)
        except queue.Full:
            return False
        return True

    def open(self) -> Self:
        """The camera, looking again."""
        self._closed.clear()
        return self

    def close(self) -> None:
        """Look away: iteration ends."""
        self._closed.set()

    @property
    def statistics(self) -> SourceStatistics:
        """Every frame drawn is delivered."""
        return SourceStatistics(decoded=self._count, delivered=self._count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        pixels = next(self._frames, None)
        while pixels is None:
            self._frames = self._next_scene()
            pixels = next(self._frames, None)
        self._count += 1
        return Frame(pixels, time.monotonic() - self._began, self._count - 1, is_still=False)

    def _next_scene(self) -> Iterator[Pixels]:
        while not self._closed.is_set():
            try:
                return self._paced(self._scenes.get(timeout=0.5))
            except queue.Empty:
                continue
        raise StopIteration

    def _paced(self, scene: Scene) -> Iterator[Pixels]:
        for pixels in list(scene()):  # drawn beforehand: drawing must not slow what is seen
            yield pixels
            if self._closed.wait(1 / FRAMES_A_SECOND):
                return
        yield NOBODY
        # Only after a while of nobody is the next one somebody else.
        self._closed.wait(1.5)
        yield NOBODY


def person_scene(person: int, moment: int) -> Scene:
    """A made-up person who comes up and looks into the camera."""
    return partial(_standing, person, moment)


def car_scene(plate: str, body: int) -> Scene:
    """A made-up car that comes nearer; its plate is European."""
    return partial(approach, plate, Region.EU, seed=body, frames=FRAMES)


def _standing(person: int, moment: int) -> Iterator[Pixels]:
    for number in range(FRAMES):
        yield render_person(person, moment=FRAMES * moment + number)
