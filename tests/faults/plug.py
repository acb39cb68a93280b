"""Pulls the plug of this very process at a named step of a request, of a transaction or of a file.

Nothing of ours is replaced: the web server's own protocol, the database engine's events and the interpreter's
audit events say where the work stands.
"""

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Engine, event

Scope = Any
Message = Any
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

busy_with: ContextVar[str] = ContextVar("busy_with", default="")


class Plug:
    """`step` names the moment, `path` the end of the only URL path that counts ("" counts everywhere).

    Steps: `received`, `answering` and `answered` of a request; `commit`, `committed` and `sql:FRAGMENT` of a
    transaction; `file:EVENT:PART`, an audit event of the interpreter whose first argument holds PART. With
    `#2` behind it, the second time that this is the step.
    """

    def __init__(self, step: str, path: str) -> None:
        self._step, _, times = step.partition("#")
        self._left, self._path = int(times or 1), path
        self._here = threading.local()

    def watch(self, engine: Engine) -> None:
        """Follow what the database does, and what the interpreter opens, renames and removes."""
        event.listen(engine, "before_cursor_execute", self._statement)
        event.listen(engine, "commit", self._commit)
        event.listen(engine, "checkin", self._checkin)
        if self._step.startswith("file:"):
            sys.addaudithook(self._audited)

    def around(self, app: App) -> App:
        """The same application, watched."""

        async def watched(scope: Scope, receive: Receive, send: Send) -> None:
            busy_with.set(scope.get("path", ""))
            self._at("received")

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._at("answering")
                await send(message)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    self._at("answered")

            await app(scope, receive, told)

        return watched

    def _at(self, step: str) -> None:
        """Here we are; power fails if this is the step."""
        if step != self._step or not busy_with.get().endswith(self._path):
            return
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def _statement(self, connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        kind, _, fragment = self._step.partition(":")
        if kind == "sql" and fragment in " ".join(statement.split()):
            self._at(self._step)

    def _commit(self, connection: Any) -> None:
        self._here.has_committed = True
        self._at("commit")

    def _checkin(self, link: Any, record: Any) -> None:
        if getattr(self._here, "has_committed", False):
            self._here.has_committed = False
            self._at("committed")

    def _audited(self, happening: str, arguments: tuple[Any, ...]) -> None:
        _, wanted, part = self._step.split(":", 2)
        if happening == wanted and arguments and part in str(arguments[0]):
            self._at(self._step)
