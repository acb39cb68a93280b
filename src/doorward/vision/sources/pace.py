"""Which frames of a video are due at a chosen rate, and whether playing keeps up with the clock."""

import time
from collections.abc import Callable

USUAL_RATE = 25.0


class Pace:
    """Picks frames at a chosen mean rate; when it keeps time it waits for them, and skips those too late."""

    def __init__(
        self,
        frames_per_second: float | None,
        *,
        keeps_time: bool,
        is_live: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1.0 / frames_per_second if frames_per_second else 0.0
        self._keeps_time = keeps_time
        self._is_live = is_live
        self._monotonic = monotonic
        self._sleep = sleep
        self._began: float | None = None
        self._offset = 0.0
        self._next_due = 0.0
        self.late = 0

    def place(self, stream_seconds: float | None, number: int) -> float:
        """Seconds since the first frame: by our clock if live, else the stream's, else 25 frames a second."""
        now = self._monotonic()
        if self._began is None:
            self._began = now
            self._offset = stream_seconds or 0.0
        if self._is_live:
            return now - self._began
        if stream_seconds is None:
            return number / USUAL_RATE
        return max(0.0, stream_seconds - self._offset)

    def is_due(self, at_seconds: float) -> bool:
        """Whether this frame is one to hand over now; a late one is counted in `late` and is not."""
        # Half a millisecond: container clocks are rounded, a rate of 25 must not skip frames of 25.
        if at_seconds + 0.0005 < self._next_due:
            return False
        self._next_due = max(self._next_due + self._interval, at_seconds - self._interval)
        return not self._keeps_time or self._in_time(at_seconds)

    def _in_time(self, at_seconds: float) -> bool:
        assert self._began is not None
        ahead = at_seconds - (self._monotonic() - self._began)
        if ahead > 0:
            self._sleep(ahead)
        elif -ahead > max(self._interval, 1.0 / USUAL_RATE):
            self.late += 1
            return False
        return True
