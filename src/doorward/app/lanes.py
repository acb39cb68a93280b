"""Who is let in to the server's threads, so that strangers at the front can never hold up the gates.

Each request belongs to a lane by its path. A lane has so many places at once and a short queue; whoever finds
both full is told at once to come back. The threads of the edge lane are nobody else's. A body is read before
a place is taken, so that a slow sender holds none; a large one is read in the bulk lane, and given up in time
by `shield`.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

from anyio.to_thread import current_default_thread_limiter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doorward.app.heads import refusal_of
from doorward.app.problems import problem
from doorward.platform.addresses import sender_of

EDGE = re.compile(r"/api/v1/sites/[^/]+/edge/[a-z-]+")
HEALTH = "/health"
PASSWORDS = re.compile(r"(/api/v1)?/(sign-in|setup|welcome)")
STATIC = "/static/"
KIBIBYTE = 1024
BODY_SECONDS = 10.0
SPARE_THREADS = 4
BUSY = "Too many ask at once: try again in a moment."
ONE_SENDER = "Too many requests at once from your address: try again in a moment."


@dataclass(frozen=True, slots=True)
class Width:
    """How many requests of a lane are served at once, how many wait for how long, and what one may send."""

    at_once: int
    waiting: int
    patience_seconds: float
    of_one_sender: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Widths:
    """Every lane. Together they are the threads of the server; each thread may need a connection."""

    edge: Width = Width(24, 400, 5.0, 400, 4096 * KIBIBYTE)
    house: Width = Width(8, 100, 5.0, 64, 256 * KIBIBYTE)
    bulk: Width = Width(3, 12, 20.0, 6, 0)
    passwords: Width = Width(2, 6, 3.0, 3, 64 * KIBIBYTE)
    front: Width = Width(3, 60, 3.0, 20, 64 * KIBIBYTE)
    health: Width = Width(1, 20, 3.0, 5, 0)

    @property
    def threads(self) -> int:
        """How many threads serve all lanes when each is full."""
        lanes = (self.edge, self.house, self.bulk, self.passwords, self.front, self.health)
        return sum(lane.at_once for lane in lanes) + SPARE_THREADS


class Refused(Exception):
    """There is no place now."""


class Lane:
    """Places for requests of one kind."""

    def __init__(self, width: Width) -> None:
        self.width = width
        self._free = asyncio.Semaphore(width.at_once)
        self._waiting = 0
        self._by_sender: Counter[str] = Counter()

    @asynccontextmanager
    async def place(self, sender: str) -> AsyncIterator[None]:
        """Hold one place; `Refused` at once if the queue is full, and after a while if none gets free."""
        if self._by_sender[sender] >= self.width.of_one_sender:
            raise Refused(ONE_SENDER)
        if self._free.locked() and self._waiting >= self.width.waiting:
            raise Refused(BUSY)
        self._by_sender[sender] += 1
        try:
            await self._wait()
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._by_sender[sender] -= 1
            self._by_sender += Counter()  # drops whoever holds none

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self.width.patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Refused(BUSY) from None
        finally:
            self._waiting -= 1


class Lanes:
    """Lets each request into its lane. `public` are the paths that anybody may call."""

    def __init__(self, app: ASGIApp, *, public: Collection[str] = (), widths: Widths | None = None) -> None:
        self._app = app
        self._public = frozenset(public)
        self._widths = widths or Widths()
        self._lanes: dict[str, Lane] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or say when to come back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = refusal_of(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        lane, declared = self._lane(self._kind(scope)), _declared(scope)
        if declared is None or declared > lane.width.body_bytes:
            if lane is not self._lane("house"):
                await _too_large(lane)(scope, receive, send)
                return
            lane = self._lane("bulk")
        elif declared:
            body = await _body(receive)
            if body is None:
                await _too_slow()(scope, receive, send)
                return
            receive = _again(body, receive)
        await self._serve(lane, scope, receive, send)

    async def _serve(self, lane: Lane, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with lane.place(sender_of(_client(scope))):
                await self._app(scope, receive, send)
        except Refused as refusal:
            await _come_back(str(refusal))(scope, receive, send)

    def _kind(self, scope: Scope) -> str:
        path = scope["path"]
        if EDGE.fullmatch(path):
            return "edge"
        if path == HEALTH:
            return "health"
        if scope["method"] == "POST" and PASSWORDS.fullmatch(path):
            return "passwords"
        return "front" if path in self._public or path.startswith(STATIC) else "house"

    def _lane(self, kind: str) -> Lane:
        """Made at the first request, when there is a loop to wait in."""
        if not self._lanes:
            current_default_thread_limiter().total_tokens = self._widths.threads
            self._lanes = {name: Lane(getattr(self._widths, name)) for name in Widths.__dataclass_fields__}
        return self._lanes[kind]


def _declared(scope: Scope) -> int | None:
    """The length of the body; None if it is not said beforehand."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    said = headers.get(b"content-length", b"0")
    return int(said) if said.isdigit() and len(said) < 16 else None


def _client(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None


async def _body(receive: Receive) -> bytes | None:
    """The whole small body; None if it does not come in time."""
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return None


def _again(body: bytes, receive: Receive) -> Receive:
    left = [body]

    async def receive_again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return receive_again


def _too_large(lane: Lane) -> ASGIApp:
    most = lane.width.body_bytes // KIBIBYTE
    return problem(
        "invalid", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Send at most {most} KiB, and say how much."
    )


def _too_slow() -> ASGIApp:
    return problem("invalid", HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly: send it again.")


def _come_back(why: str) -> ASGIApp:
    status = HTTPStatus.TOO_MANY_REQUESTS if why == ONE_SENDER else HTTPStatus.SERVICE_UNAVAILABLE
    return problem("unavailable", status, why)
