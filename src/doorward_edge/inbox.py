"""What was captured and waits to be decided: a bounded queue that gives up the oldest."""

import threading
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MOST_WAITING: Final = 16


class Inbox(Generic[T]):
    """For several threads. With `waits`, whoever puts into a full one waits instead: nothing is lost."""

    def __init__(self, *, waits: bool, most: int = MOST_WAITING) -> None:
        self._waits = waits
        self._most = most
        self._parts: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, part: T) -> None:
        """Add one."""
        with self._changed:
            while self._waits and len(self._parts) >= self._most and not self._closed:
                self._changed.wait()
            if len(self._parts) >= self._most:
                self._parts.popleft()
                self.dropped += 1
            self._parts.append(part)
            self._changed.notify_all()

    def get(self, *, timeout: float) -> T | None:
        """The oldest, or None after so many seconds."""
        with self._changed:
            if not self._parts:
                self._changed.wait(timeout)
            part = self._parts.popleft() if self._parts else None
            self._changed.notify_all()
            return part

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
