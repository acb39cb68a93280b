"""What runs by itself and how often."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from doorward.core.errors import DoorwardError
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.platform.db import Database, Unit
from doorward.platform.jobs import Handler, run_due

log = logging.getLogger("doorward.worker")

IDLE_SECONDS = 0.5
SITES_KNOWN_SECONDS = 10.0
LONGEST_BACK_OFF_SECONDS = 300.0
NIGHT = range(1, 5)  # o'clock


@dataclass(frozen=True, slots=True)
class Every:
    """A duty that comes round at an interval; it must bear being done twice.

    It is done for every site, or once for the whole house where it does not look at the site.
    """

    interval: timedelta
    duty: Handler | None = None
    at_every_site: bool = True
    errand: Callable[[], object] | None = None  # instead of a duty: opens units of its own


def is_night(now: datetime, zone: ZoneInfo) -> bool:
    """Whether it is an hour of the night there, when few pass."""
    return now.astimezone(zone).hour in NIGHT


@dataclass(slots=True)
class _Round:
    """When something comes round again, on a clock that nobody can set."""

    due_at: float = float("-inf")
    failures: int = 0


class Worker:
    """A thread that keeps promises: due jobs first, then whatever of the schedule has come round."""

    def __init__(
        self,
        database: Database,
        site_id: str,
        handlers: Mapping[str, Handler],
        schedule: Mapping[str, Every],
        *,
        sites: Callable[[Unit], Sequence[str]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._site_id = site_id
        self._handlers = handlers
        self._schedule = schedule
        self._list_sites = sites or (lambda _: (site_id,))
        self._monotonic = monotonic
        self._sites: Sequence[str] = (site_id,)
        self._rounds: dict[tuple[str, str], _Round] = {}
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
        """One round; returns how many jobs were done. Whatever fails is tried again, each for itself."""
        done = 0

        def run_jobs() -> None:
            nonlocal done
            done = run_due(self._database, self._handlers)

        self._come_round("jobs", EVERY_SITE, 0.0, run_jobs)
        self._come_round("sites", EVERY_SITE, SITES_KNOWN_SECONDS, self._look_for_sites)
        for name, every in self._schedule.items():
            for site_id in self._sites if every.at_every_site else (self._site_id,):
                self._come_round(name, site_id, every.interval.total_seconds(), self._duty(name, site_id))
        return done

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self.turn():
                self._stop.wait(IDLE_SECONDS)

    def _look_for_sites(self) -> None:
        with self._database.reading(system_actor("worker"), EVERY_SITE) as unit:
            self._sites = tuple(dict.fromkeys((self._site_id, *self._list_sites(unit))))

    def _duty(self, name: str, site_id: str) -> Callable[[], None]:
        every = self._schedule[name]

        def do() -> None:
            if every.errand is not None:
                every.errand()
            if every.duty is not None:
                with self._database.unit(system_actor(name), site_id) as unit:
                    every.duty(unit, {})

        return do

    def _come_round(self, name: str, site_id: str, interval: float, work: Callable[[], None]) -> None:
        """Do it if it is due; after a failure it is tried again, at growing distances."""
        turn = self._rounds.setdefault((name, site_id), _Round())
        if self._stop.is_set() or self._monotonic() < turn.due_at:
            return
        try:
            work()
            turn.failures, wait = 0, interval
        except Exception as error:  # a full disk or one bad record must end neither the worker nor the rest
            turn.failures += 1
            wait = min(2.0**turn.failures, LONGEST_BACK_OFF_SECONDS)
            code = error.code if isinstance(error, DoorwardError) else type(error).__name__
            facts = {"duty": name, "site": site_id, "code": code, "failures": turn.failures}
            log.error("duty failed", exc_info=error, extra=facts)
        turn.due_at = self._monotonic() + wait
