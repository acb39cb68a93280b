"""What every answer carries and every request must pass, before any route is reached."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorward.app.headers import HEADERS
from doorward.app.problems import problem

log = logging.getLogger("doorward.access")

MOST_BODY_BYTES = 32 * 1024 * 1024
LONGEST_BODY_SECONDS = 120.0
TOO_MUCH = "Send at most 32 MiB at once."
TOO_SLOW = "The request came too slowly: send it again."

Next = Callable[[Request], Awaitable[Response]]


async def add_headers(request: Request, follow: Next) -> Response:
    """Strict headers on every answer, and one access line that names the route, never its values."""
    started = time.perf_counter()
    response = await follow(request)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    route = request.scope.get("route")
    took = round((time.perf_counter() - started) * 1000, 1)
    path = getattr(route, "path", "unmatched")
    log.info(
        "request", extra={"method": request.method, "route": path, "status": response.status_code, "ms": took}
    )
    return response


class BodyLimit:
    """Refuses a body that is larger than we would ever use, as soon as it shows, or that takes too long."""

    def __init__(
        self, app: ASGIApp, most_bytes: int = MOST_BODY_BYTES, most_seconds: float = LONGEST_BODY_SECONDS
    ) -> None:
        self._app = app
        self._most = most_bytes
        self._seconds = most_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes and the seconds while they come in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._declared(scope) > self._most:
            await self._refuse(scope, receive, send)
            return
        seen = 0
        in_time: float | None = asyncio.get_running_loop().time() + self._seconds

        async def counted() -> Message:
            nonlocal seen, in_time
            try:
                async with asyncio.timeout_at(in_time):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW) from None
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_MUCH)
            if not message.get("more_body", False):
                in_time = None  # what is waited for now is the end of the connection
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem("invalid", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_MUCH)
        await answer(scope, receive, send)

    @staticmethod
    def _declared(scope: Scope) -> int:
        found = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        return int(found) if found.isdigit() else 0
