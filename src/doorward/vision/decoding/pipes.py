"""Whole messages through pipes, with a deadline, so that a hanging child can't hang its parent."""

import os
import select
import time


class PipeClosed(Exception):
    """The other side ended in the middle."""


class PipeTimeout(Exception):
    """The other side did not answer in time."""


def write_all(fd: int, data: bytes | memoryview, deadline: float) -> None:
    """Write everything to a non-blocking pipe before `deadline` (monotonic seconds)."""
    rest = memoryview(data)
    while rest:
        _wait(fd, select.POLLOUT, deadline)
        try:
            rest = rest[os.write(fd, rest[: 1 << 20]) :]
        except BlockingIOError:
            continue
        except OSError as error:
            raise PipeClosed from error


def read_into(fd: int, target: memoryview, deadline: float) -> None:
    """Fill `target` from a non-blocking pipe before `deadline` (monotonic seconds)."""
    rest = target
    while rest:
        _wait(fd, select.POLLIN, deadline)
        try:
            count = os.readv(fd, [rest])
        except BlockingIOError:
            continue
        except OSError as error:
            raise PipeClosed from error
        if count == 0:
            raise PipeClosed
        rest = rest[count:]


def read_exactly(fd: int, count: int, deadline: float) -> bytes:
    """The next `count` bytes of a non-blocking pipe, before `deadline` (monotonic seconds)."""
    data = bytearray(count)
    read_into(fd, memoryview(data), deadline)
    return bytes(data)


def _wait(fd: int, event: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(fd, event)
    left = deadline - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise PipeTimeout
