"""What time it is, how sure that is, and whether somebody has moved the hands."""

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from doorward.core.clock import system_clock
from doorward.core.wire import ClockReport, TimeReply
from doorward_edge.ports import Clock

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLES: Final = 8
SAMPLE_SECONDS: Final = 900.0  # a quartz of 100 ppm drifts 90 ms in that time
SLOWEST_SECONDS: Final = 5.0
ROUNDING_SECONDS: Final = 0.001
LONGEST_TRUST_SECONDS: Final = 86_400.0


class SystemClock:
    """This machine's clocks."""

    def wall(self) -> datetime:
        """UTC."""
        return system_clock()

    def monotonic(self) -> float:
        """CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it counts the time a machine was suspended."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Sample:
    """One exchange: at this monotonic second the server's clock showed `ahead` seconds more than it."""

    at: float
    ahead: float
    round_trip: float


class ClockWatch:
    """Server time carried by the monotonic clock, and an eye on the wall clock.

    Between two measurements nothing that happens to the wall clock changes `server_now`; a jump of it is
    noticed all the same, because a machine whose time somebody changes is not to be trusted with hours.
    For several threads.
    """

    def __init__(self, clock: Clock, *, jump_seconds: float = 2.0) -> None:
        self._clock = clock
        self._jump_seconds = jump_seconds
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._base = self._wall_ahead()
        self._jumped = False
        self._lock = threading.Lock()
        self.jumps = 0

    def _wall_ahead(self) -> float:
        before = self._clock.monotonic()
        wall = (self._clock.wall() - EPOCH).total_seconds()
        return wall - (before + self._clock.monotonic()) / 2

    def look(self) -> None:
        """Compare the clocks; call often."""
        ahead = self._wall_ahead()
        if abs(ahead - self._base) > self._jump_seconds:
            self._jumped = True
            self.jumps += 1
            self._base = ahead

    def measured(self, sent: float, received: float, reply: TimeReply) -> bool:
        """Take in one exchange, its ends in monotonic seconds; False if it was too slow to say anything."""
        t1 = (reply.received_at - EPOCH).total_seconds()
        t2 = (reply.sent_at - EPOCH).total_seconds()
        round_trip = (received - sent) - (t2 - t1)
        # A server in the same process answers within the rounding of the clocks.
        if not -ROUNDING_SECONDS <= round_trip <= SLOWEST_SECONDS or t2 < t1:
            return False
        with self._lock:
            self._samples.append(Sample(received, ((t1 - sent) + (t2 - received)) / 2, max(round_trip, 0.0)))
        self._base = self._wall_ahead()
        self._jumped = False
        return True

    def _best(self) -> Sample | None:
        with self._lock:
            samples = list(self._samples)
        if not samples:
            return None
        newest = samples[-1]
        fresh = [s for s in samples if newest.at - s.at <= SAMPLE_SECONDS]
        # The quickest exchange bounds the error best: half its round trip (RFC 5905, section 10).
        best = min(fresh, key=lambda s: s.round_trip)
        # If the server's own clock was set meanwhile, only the newest tells the truth.
        agrees = abs(best.ahead - newest.ahead) <= (best.round_trip + newest.round_trip) / 2 + 0.1
        return best if agrees else newest

    @property
    def doubtful(self) -> bool:
        """True while hours must not be judged: never measured, measured long ago, or moved since."""
        best = self._best()
        return best is None or self._jumped or self._clock.monotonic() - best.at > LONGEST_TRUST_SECONDS

    def server_now(self) -> datetime:
        """The server's time as carried by the monotonic clock; the wall clock's if never measured."""
        return self.server_at(self._clock.monotonic())

    def server_at(self, monotonic: float) -> datetime:
        """The same at another second of the monotonic clock."""
        best = self._best()
        if best is None:
            return self._clock.wall() - timedelta(seconds=self._clock.monotonic() - monotonic)
        return EPOCH + timedelta(seconds=monotonic + best.ahead)

    def report(self) -> ClockReport | None:
        """For the next sighting: how far the wall clock is off; None if never measured."""
        best = self._best()
        if best is None:
            return None
        return ClockReport(
            offset_ms=round((best.ahead - self._wall_ahead()) * 1000),
            round_trip_ms=round(best.round_trip * 1000),
            jumped=self._jumped,
        )
