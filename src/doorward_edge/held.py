"""Why a gate is held open just now: the building's fire alarm, or an order for as long as its lease lasts."""

import threading
from typing import Final

from doorward.core.errors import Unavailable
from doorward.core.wire import Mode
from doorward_edge.ports import Barrier, Clock
from doorward_edge.statistics import AgentStatistics

OPEN_MODES: Final = frozenset({Mode.EVACUATION, Mode.RELEASED})
LEASE_SECONDS: Final = 90.0  # as the server's, for what a policy said
PULSE_SECONDS: Final = 15
RENEW_SECONDS: Final = 5.0


class Held:
    """Keeps the barrier open while there is a reason, and lets it go at once when there is none.

    An order reaches only as far as its lease: without a server that renews it, the local fire contact alone
    decides. The barrier is opened again and again for a short time, so that a dead agent holds nothing.
    For several threads.
    """

    def __init__(self, barrier: Barrier, clock: Clock, statistics: AgentStatistics) -> None:
        self._barrier = barrier
        self._clock = clock
        self._statistics = statistics
        self._lock = threading.Lock()
        self._mode = Mode.NORMAL
        self._until = float("-inf")
        self._asked = float("-inf")
        self._fire = False
        self._holds = False
        self._next = float("-inf")

    def told(self, mode: Mode, *, asked: float, lease_seconds: float = LEASE_SECONDS) -> None:
        """The server's word for a question of this monotonic second; an older one changes nothing."""
        with self._lock:
            if asked >= self._asked:
                self._mode, self._asked, self._until = mode, asked, asked + lease_seconds

    def fire(self, active: bool) -> None:
        """What the fire contact says; needs no server and no key."""
        with self._lock:
            self._fire = active
        self.keep()

    @property
    def mode(self) -> Mode:
        """What is in force: the server's word while it lasts, evacuation while the fire contact is active."""
        if self._fire:
            return Mode.EVACUATION
        return self._mode if self._clock.monotonic() < self._until else Mode.NORMAL

    @property
    def is_open_to_all(self) -> bool:
        """Whether nobody is to be asked for anything."""
        return self.mode in OPEN_MODES

    def keep(self) -> None:
        """Call often: opens again what must stay open, and shuts when the reason is gone."""
        with self._lock:
            now = self._clock.monotonic()
            if self.is_open_to_all:
                if not self._holds or now >= self._next:
                    self._open(now)
            elif self._holds:
                self._holds = False
                self._barrier.shut()

    def _open(self, now: float) -> None:
        try:
            self._barrier.open(PULSE_SECONDS)
        except Unavailable:
            self._statistics.not_moved += 1
            self._next = now + 1.0
            self._holds = True
            return
        self._statistics.held_open += not self._holds
        self._holds, self._next = True, now + RENEW_SECONDS
