"""What runs by itself and how often."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.core.permissions import system_actor
from doorward.platform.db import Database
from doorward.platform.jobs import Handler, run_due

log = logging.getLogger("doorward.worker")

IDLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Every:
    """A duty that comes round at an interval; it must bear being done twice."""

    interval: timedelta
    duty: Handler


class Worker:
    """A thread that keeps promises: due jobs first, then whatever of the schedule has come round."""

    def __init__(
        self,
        database: Database,
        site_id: str,
        handlers: Mapping[str, Handler],
        schedule: Mapping[str, Every],
    ) -> None:
        self._database = database
        self._site_id = site_id
        self._handlers = handlers
        self._schedule = schedule
        self._last: dict[str, datetime] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doorward-worker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the job in hand and end."""
        self._stop.set()
        self._thread.join(timeout=10)

    def turn(self) -> int:
        """One round; returns how many jobs were done."""
        done = run_due(self._database, self._handlers)
        for name, every in self._schedule.items():
            self._come_round(name, every)
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                busy = self.turn()
            except Exception as error:  # a full disk or a locked file must not end the worker
                log.error("worker round failed", exc_info=error)
                busy = 0
            if not busy:
                self._stop.wait(IDLE_SECONDS)

    def _come_round(self, name: str, every: Every) -> None:
        now = self._database.clock()
        last = self._last.get(name)
        if last is not None and timedelta(0) <= now - last < every.interval:
            return
        self._last[name] = now
        with self._database.unit(system_actor(name), self._site_id) as unit:
            every.duty(unit, {})
