"""The caged side of a video: opens it, picks the frames that are due, downsizes them, hands them over."""

import os
import sys
import time
from collections.abc import Iterator
from typing import IO

import av
import av.audio.codeccontext
import av.logging

# The library loads these at their first use, when the cage has closed already.
import av.sidedata.encparams
import av.sidedata.motionvectors
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame

from doorward.vision.decoding import cage
from doorward.vision.sources.frame import Pixels
from doorward.vision.sources.pace import Pace
from doorward.vision.sources.reach import Reach, reach_of
from doorward.vision.sources.wire import HEARTBEAT_SECONDS, MAX_PIXELS, RECORD, Kind, Order, read_order

LIMITS = cage.Limits(
    address_space_bytes=3072 * cage.MEBIBYTE, cpu_seconds=None, open_files=32, may_start_threads=True
)
DECODER_THREADS = 2
DAMAGED_IN_A_ROW = 200


class Player:
    """Plays one order into a pipe."""

    def __init__(self, order: Order, reach: Reach | None, answers: IO[bytes]) -> None:
        self._order = order
        self._reach = reach
        self._answers = answers
        self._is_live = order.kind != "video"
        keeps_time = order.real_time and not self._is_live
        self._pace = Pace(order.frames_per_second, keeps_time=keeps_time, is_live=self._is_live)
        self._decoded = 0
        self._unreadable = 0
        self._too_large = 0
        self._told = time.monotonic()

    def play(self) -> None:
        """Say everything there is to say, the end last."""
        try:
            ending = self._play()
        except (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError):
            ending = Kind.REFUSED
        except BrokenPipeError:
            return
        except Exception:  # a demuxer fails in as many ways as it has authors; the parent gets one kind
            ending = self._end(if_nothing_came=Kind.NOT_A_VIDEO)
        self._tell(ending)

    def _play(self) -> Kind:
        with self._open() as container:
            if not container.streams.video:
                return Kind.NO_PICTURE
            for frame in self._frames(container):
                self._consider(frame)
        return self._end(if_nothing_came=Kind.NO_PICTURE)

    def _end(self, *, if_nothing_came: Kind) -> Kind:
        """How it ended; a file that was cut short in the middle counts as played."""
        if self._decoded and self._too_large == self._decoded:
            return Kind.TOO_LARGE
        if self._is_live:
            return Kind.LOST
        return Kind.END if self._decoded else if_nothing_came

    def _open(self) -> InputContainer:
        reach, wait = self._reach, self._order.stall_seconds
        if reach is None:
            raise FileNotFoundError
        patience = (wait, wait) if reach.waits else None
        return av.open(reach.address, format=reach.form, options=reach.options, timeout=patience)

    def _frames(self, container: InputContainer) -> Iterator[VideoFrame]:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE" if self._is_live else "AUTO"
        stream.codec_context.thread_count = DECODER_THREADS
        in_a_row = 0
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                self._unreadable += 1
                in_a_row += 1
                if in_a_row > DAMAGED_IN_A_ROW:
                    return
                continue
            in_a_row = 0 if frames else in_a_row
            yield from frames

    def _consider(self, frame: VideoFrame) -> None:
        self._decoded += 1
        if frame.width * frame.height > MAX_PIXELS:
            self._unreadable += 1
            self._too_large += 1
            return
        at_seconds = self._pace.place(frame.time, self._decoded - 1)
        if self._pace.is_due(at_seconds):
            self._hand_over(at_seconds, pixels(frame, self._order.longest_side))
        elif time.monotonic() - self._told > HEARTBEAT_SECONDS:
            self._tell(Kind.ALIVE)

    def _hand_over(self, at_seconds: float, image: Pixels) -> None:
        height, width = image.shape[:2]
        self._tell(Kind.FRAME, at_seconds, height, width)
        rest = image.data.cast("B")
        while rest:
            rest = rest[self._answers.write(rest) :]

    def _tell(self, kind: Kind, at_seconds: float = 0.0, height: int = 0, width: int = 0) -> None:
        counts = (self._decoded, self._pace.late, self._unreadable)
        self._told = time.monotonic()
        try:
            self._answers.write(RECORD.pack(kind, *counts, at_seconds, height, width))
        except BrokenPipeError:
            if kind is Kind.FRAME:
                raise


def pixels(frame: VideoFrame, longest_side: int) -> Pixels:
    """BGR pixels of a decoded frame, upright, its longest side at most `longest_side`."""
    scale = min(1.0, longest_side / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = frame.reformat(width=width, height=height, format="bgr24", interpolation="BILINEAR")
    upright = np.rot90(small.to_ndarray(), round(frame.rotation / 90))
    return np.ascontiguousarray(upright, np.uint8)


def main() -> int:
    """Read the order, open what it names, enter the cage, play."""
    requests, answers = cage.own_pipes()
    av.logging.set_level(None)
    with os.fdopen(requests, "rb") as coming, os.fdopen(answers, "wb", buffering=0) as going:
        order = read_order(coming.readline())
        reach = _reach(order)
        cage.enter(LIMITS, reach.openings if reach else cage.SHUT)
        Player(order, reach, going).play()
    return 0


def _reach(order: Order) -> Reach | None:
    try:
        return reach_of(order)
    except OSError:
        return None


if __name__ == "__main__":
    sys.exit(main())
