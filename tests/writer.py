"""Somebody who writes from another thread while something else goes on."""

import threading
from collections.abc import Callable
from contextlib import suppress

from doorward.core.errors import Unavailable


class Writer:
    """Keeps writing from another thread until told to stop; a failure there fails the test."""

    def __init__(self, deed: Callable[[int], None]) -> None:
        self.done = self.attempts = 0
        self._deed = deed
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self.done

    def _run(self) -> None:
        try:
            while not self._stop.is_set() or not self.done:
                with suppress(Unavailable):  # the writer's place was taken: a caller tries again
                    self._deed(self.attempts)
                    self.done += 1
                self.attempts += 1
        except BaseException as error:
            self._error = error
