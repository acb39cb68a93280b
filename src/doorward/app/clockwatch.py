"""Notices that somebody set the server's clock: the log then says from where on its times are others."""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from doorward.audit.service import record
from doorward.gates.model import AlarmKind
from doorward.gates.service import raise_once
from doorward.platform.db import Unit

log = logging.getLogger("doorward.clock")

JUMP_SECONDS = 30.0
PLACE = "server"


class ClockWatch:
    """Compares the wall clock with one that cannot be set, each time it is asked to look."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: tuple[datetime, float] | None = None

    def look(self, unit: Unit) -> float:
        """By how many seconds the clock was set since the last look; recorded, and an alarm, if many."""
        now = (unit.now, self._monotonic())
        before, self._seen = self._seen or now, now
        jump = (now[0] - before[0]).total_seconds() - (now[1] - before[1])
        if abs(jump) < JUMP_SECONDS:
            return 0.0
        log.warning("the clock was set", extra={"seconds": round(jump)})
        record(unit, "server.clock-set", seconds=round(jump))
        if jump < 0:
            raise_once(unit, AlarmKind.BACKWARD_CLOCK, PLACE, detail=f"set back by {round(-jump)} seconds")
        return jump
