"""A warm decoder: one caged worker, replaced whenever it crashes, hangs or has worked enough."""

import atexit
import os
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid, NotFound, Unavailable
from doorward.vision.decoding import cage, pipes
from doorward.vision.decoding.wire import ANSWER, MAX_BYTES, REQUEST, SENTENCES, Reason

WORKER = "doorward.vision.decoding.worker"
LONGEST_SIDE = 4096
START_SECONDS = 20.0

Pixels = NDArray[np.uint8]


class Decoder:
    """Decodes images in one caged process; safe to share between threads, which then take turns."""

    def __init__(self, *, timeout_seconds: float = 15.0, longest_side: int = LONGEST_SIDE) -> None:
        self._timeout_seconds = timeout_seconds
        self._longest_side = longest_side
        self._turn = threading.Lock()
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def worker_pid(self) -> int | None:
        """The process that decodes now, or None while there is none."""
        worker = self._worker
        return worker.pid if worker is not None and worker.poll() is None else None

    def warm(self) -> None:
        """Start the worker ahead of the first image."""
        with self._turn:
            self._ready()

    def close(self) -> None:
        """End the worker; a later call starts another."""
        with self._turn:
            self._end()

    def decode(self, data: bytes) -> Pixels:
        """BGR pixels (height, width, 3), upright, longest side at most 4096; `Invalid` says why not."""
        if not data:
            raise Invalid(SENTENCES[Reason.EMPTY])
        if len(data) > MAX_BYTES:
            raise Invalid(SENTENCES[Reason.TOO_MANY_BYTES])
        with self._turn:
            worker, fresh = self._ready()
            try:
                return self._ask(worker, data, START_SECONDS if fresh else 0.0)
            except pipes.PipeTimeout:
                self._end()
                raise Invalid("The image took too long to decode, so it was refused.") from None
            except pipes.PipeClosed:
                self._end()
                raise Invalid("The image made its decoder fail, so it was refused.") from None
            except (MemoryError, KeyboardInterrupt):
                self._end()  # half an answer lies in the pipe: the next image must not get it
                raise

    def _ask(self, worker: subprocess.Popen[bytes], data: bytes, extra_seconds: float) -> Pixels:
        assert worker.stdin is not None and worker.stdout is not None
        coming, going = worker.stdout.fileno(), worker.stdin.fileno()
        deadline = time.monotonic() + self._timeout_seconds + extra_seconds
        pipes.write_all(going, REQUEST.pack(len(data), self._longest_side), deadline)
        pipes.write_all(going, data, deadline)
        code, retiring, height, width = ANSWER.unpack(pipes.read_exactly(coming, ANSWER.size, deadline))
        if code != Reason.DECODED:
            if retiring:
                self._end()
            raise Invalid(SENTENCES.get(code, SENTENCES[Reason.DAMAGED]))
        # The worker may be in a stranger's hands: it does not choose how much memory we take.
        if not (0 < height <= self._longest_side and 0 < width <= self._longest_side):
            raise pipes.PipeClosed
        image = np.empty((height, width, 3), np.uint8)
        pipes.read_into(coming, image.data.cast("B"), deadline)
        if retiring:
            self._end()
        return image

    def _ready(self) -> tuple[subprocess.Popen[bytes], bool]:
        if self._worker is not None and self._worker.poll() is None:
            return self._worker, False
        self._end()
        try:
            worker = cage.start(WORKER)
        except OSError as error:
            raise Unavailable(
                "The image decoder could not be started: free some memory and retry."
            ) from error
        for pipe in (worker.stdin, worker.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        self._worker = worker
        return worker, True

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            cage.kill(worker)


_default = Decoder()


def decode_image(data: bytes) -> Pixels:
    """BGR pixels (height, width, 3) of image bytes by the process-wide decoder; `Invalid` says why not."""
    return _default.decode(data)


def load_image(path: Path) -> Pixels:
    """BGR pixels (height, width, 3) of an image file; `NotFound` or `Invalid` says why not."""
    return decode_image(read_bounded(path))


def read_bounded(path: Path) -> bytes:
    """An image file's bytes, never more than may be decoded; errors leave out the path: it may be a name."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotFound("There is no such image file: check the path.") from None
    except OSError:
        raise Invalid("The image file cannot be read: check that it is a file that you may read.") from None
    if len(data) > MAX_BYTES:
        raise Invalid(SENTENCES[Reason.TOO_MANY_BYTES])
    return data


def close_default() -> None:
    """End the process-wide decoder's worker; the next image starts another."""
    _default.close()


atexit.register(close_default)
