"""Connections of the server: whoever opens one and says nothing is let go."""

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 2000
LONGEST_HEAD = 16 * 1024


class PatientConnection(H11Protocol):
    """One connection that waits so long for the head of a request, and no longer.

    When there are too many, the one that has been silent for longest goes; those with a request stay.
    """

    head_seconds = HEAD_SECONDS
    most = MOST_CONNECTIONS

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting_since = time.monotonic()
        self._end: asyncio.TimerHandle | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being served on it."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.most:
            self._let_one_go()

    def data_received(self, data: bytes) -> None:
        """Stop waiting once a head is whole."""
        super().data_received(data)
        if not self.is_waiting:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        if self.is_waiting:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop_waiting()
        self._waiting_since = time.monotonic()
        self._end = self.loop.call_later(self.head_seconds, self._let_go)

    def _stop_waiting(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _let_go(self) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            self.transport.abort()

    def _let_one_go(self) -> None:
        silent = [one for one in self.connections if isinstance(one, PatientConnection) and one.is_waiting]
        others = [one for one in silent if one is not self and not one.transport.is_closing()]
        if others:
            min(others, key=lambda one: one._waiting_since)._let_go()
