"""A video or a camera as a source: a caged child decodes, a thread collects, the consumer takes."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from doorward.core.errors import DoorwardError, Invalid, Unavailable
from doorward.vision.sources.child import Child, Ended
from doorward.vision.sources.frame import Frame, Pixels, SourceStatistics
from doorward.vision.sources.tally import Tally
from doorward.vision.sources.wire import Order

WAITING_FRAMES = 2
FIRST_BACK_OFF_SECONDS = 0.5
LONGEST_BACK_OFF_SECONDS = 15.0

_INVALID = {
    Ended.NOT_A_VIDEO: "This is not a video that can be read: use MP4, MKV, AVI, MOV or WebM.",
    Ended.NO_PICTURE: "There is no picture in this video: check that it is the right file.",
    Ended.TOO_LARGE: "The pictures of this video have more than 40 megapixels: make them smaller.",
}
_STOPPED = "The video decoder stopped in the middle: start the source again."
_REFUSED = "The camera refused the user name or the password: check them in its address."


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a frame, and for how long to go on reconnecting a live source without one."""

    stall_seconds: float
    give_up_seconds: float


class Video:
    """A running video; frames wait in a short queue, which drops its oldest when time does not wait."""

    def __init__(self, order: Order, *, is_live: bool, patience: Patience) -> None:
        self._order = order
        self._is_live = is_live
        self._patience = patience
        self._overflows = is_live or order.real_time
        self._changed = threading.Condition()
        self._waiting: deque[Frame] = deque()
        self._tally = Tally()
        self._numbered = 0
        self._is_over = False
        self._is_closed = False
        self._ending: DoorwardError | None = None
        self._child: Child | None = None
        self._began = self._last_frame = time.monotonic()
        self._collector = threading.Thread(target=self._collect, name="frames", daemon=True)
        self._collector.start()

    @property
    def statistics(self) -> SourceStatistics:
        """The counts so far."""
        with self._changed:
            return self._tally.statistics()

    @property
    def decoder_pid(self) -> int | None:
        """The process that decodes now, or None while there is none."""
        with self._changed:
            return self._child.pid if self._child else None

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def __next__(self) -> Frame:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_over)
            if self._waiting:
                self._tally.delivered += 1
                self._changed.notify_all()
                return self._waiting.popleft()
            if self._ending is not None and not self._is_closed:
                raise self._ending
        raise StopIteration

    def close(self) -> None:
        """Kill the decoder and stop; frames not yet taken are forgotten."""
        with self._changed:
            self._is_closed = self._is_over = True
            self._waiting.clear()
            if self._child is not None:
                self._child.kill()
            self._changed.notify_all()
        self._collector.join()

    def _collect(self) -> None:
        ended = self._play_until_over()
        with self._changed:
            self._ending, self._is_over = self._in_words(ended), True
            self._changed.notify_all()

    def _play_until_over(self) -> Ended:
        back_off = FIRST_BACK_OFF_SECONDS
        while True:
            began = time.monotonic()
            ended = self._play_once()
            if not self._is_live or ended is Ended.REFUSED:
                return ended
            if self._last_frame > began:
                back_off = FIRST_BACK_OFF_SECONDS
            left = self._patience.give_up_seconds - (time.monotonic() - self._last_frame)
            if left <= 0 or self._is_closed_within(min(back_off, left)):
                return ended
            back_off = min(2 * back_off, LONGEST_BACK_OFF_SECONDS)
            with self._changed:
                self._tally.reconnect()

    def _is_closed_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._is_closed, timeout=seconds)

    def _play_once(self) -> Ended:
        try:
            child = Child(self._order)
        except OSError:
            return Ended.STOPPED
        with self._changed:
            self._child = child
        try:
            return self._follow(child)
        finally:
            with self._changed:
                self._child = None
            child.collect()

    def _follow(self, child: Child) -> Ended:
        while not self._is_closed:
            told = child.read()
            with self._changed:
                self._tally.present = child.counts
                if isinstance(told, Ended):
                    return told
                if told.image is not None:
                    self._last_frame = time.monotonic()
                    self._offer(told.at_seconds, told.image)
        return Ended.AT_THE_END

    def _offer(self, at_seconds: float, image: Pixels) -> None:
        """Queue a frame; when the queue is full the oldest goes, or a file's decoder waits."""
        if self._overflows:
            while len(self._waiting) >= WAITING_FRAMES:
                self._waiting.popleft()
                self._tally.overflowed += 1
        else:
            self._changed.wait_for(lambda: len(self._waiting) < WAITING_FRAMES or self._is_closed)
        if self._is_closed:
            return
        if self._is_live:
            at_seconds = self._last_frame - self._began
        self._waiting.append(Frame(image, at_seconds, self._numbered, False))
        self._numbered += 1
        self._changed.notify_all()

    def _in_words(self, ended: Ended) -> DoorwardError | None:
        if ended is Ended.AT_THE_END:
            return None
        if ended in _INVALID:
            return Invalid(_INVALID[ended])
        if ended is Ended.REFUSED:
            return Unavailable(_REFUSED)
        if self._is_live:
            wait = self._patience.give_up_seconds
            return Unavailable(
                f"The camera sent no picture for {wait:g} seconds: check its power and address."
            )
        if ended is Ended.SILENT:
            wait = self._patience.stall_seconds
            return Unavailable(f"The video stopped: no picture came for {wait:g} seconds.")
        return Unavailable(_STOPPED)
