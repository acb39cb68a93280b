"""The matcher's door: proof before a body is read, bounded sizes and queues, every answer signed."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.clock import Clock
from doorward.core.errors import Conflict, Invalid, Unauthenticated, Unavailable
from doorward.matching.messages import LARGEST_LIST, LARGEST_PUT, LARGEST_SEARCH
from doorward.matching.messages_signed import (
    PROOF_HEADER,
    Asked,
    Nonces,
    digest_of_parts,
    read_request,
    sign_answer,
)
from doorward_matcher.counter import Counter, Reply, fault

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Deed = Callable[[bytes, bytes], Reply]

BODY_SECONDS = 15.0
DEEDS_AT_ONCE, DEEDS_WAITING = 2, 16
HEALTH = "/v1/health"
BUSY = fault(HTTPStatus.SERVICE_UNAVAILABLE, "busy")


class Lane:
    """Lets so many through at once, has so many wait, and turns the rest away."""

    def __init__(self, name: str, *, at_once: int, waiting: int) -> None:
        self._room = at_once + waiting
        self._inside = 0
        self._pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix=name)

    def enter(self) -> bool:
        """Take a place; whether there was one. From the loop's own thread alone, as `leave`."""
        if self._inside >= self._room:
            return False
        self._inside += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self._inside -= 1

    async def run(self, work: Callable[[], Reply]) -> Reply:
        """Have it done, when it is its turn."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


@dataclass(frozen=True, slots=True)
class Route:
    """One path: what is done there, how long a message may be, and who waits for whom."""

    deed: Deed
    largest: int
    lane: Lane


class Front:
    """An ASGI application. A stranger costs it one header."""

    def __init__(
        self,
        routes: Mapping[str, Route],
        key: Ed25519PrivateKey,
        deciders: frozenset[bytes],
        clock: Clock,
        *,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._key = key
        self._public = key.public_key().public_bytes_raw()
        self._deciders = deciders
        self._clock = clock
        self._nonces = Nonces()
        self._body_seconds = body_seconds
        self._routes = routes

    @property
    def epoch(self) -> bytes:
        """What requests must name."""
        return self._nonces.epoch

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "GET" and scope["path"] == HEALTH:
            await _send(send, Reply(HTTPStatus.OK, [b"ok\n"]), {})
            return
        route = self._routes.get(scope["path"]) if scope["method"] == "POST" else None
        if route is None:
            await _send(send, fault(HTTPStatus.NOT_FOUND, "no-such-path"), {})
            return
        try:
            asked = read_request(_proof(scope), self._public, scope["path"], self._deciders)
        except Unauthenticated:
            await _send(send, fault(HTTPStatus.UNAUTHORIZED, "unknown"), {})
            return
        await self._serve(route, asked, receive, send)

    async def _serve(self, route: Route, asked: Asked, receive: Receive, send: Send) -> None:
        refusal = self._refusal(route, asked)
        if refusal is None and not route.lane.enter():
            refusal = BUSY
        if refusal is not None:
            if asked.length <= route.largest:
                await self._body(receive, asked.length, keep=False)  # so that it gets to read why
            await self._answer(send, asked, refusal)
            return
        try:
            await self._answer(send, asked, await self._done(route, asked, receive))
        finally:
            route.lane.leave()

    def _refusal(self, route: Route, asked: Asked) -> Reply | None:
        if asked.length > route.largest:
            return fault(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large")
        try:
            self._nonces.accept(asked, self._clock())
        except Conflict:
            return fault(HTTPStatus.CONFLICT, "epoch")
        except Unauthenticated:
            return fault(HTTPStatus.UNAUTHORIZED, "stale")
        except Unavailable:
            return BUSY
        return None

    async def _done(self, route: Route, asked: Asked, receive: Receive) -> Reply:
        body = await self._body(receive, asked.length)
        if body is None:
            return fault(HTTPStatus.REQUEST_TIMEOUT, "cut-short")

        def work() -> Reply:
            if hashlib.sha256(body).digest() != asked.digest:
                return fault(HTTPStatus.BAD_REQUEST, "altered")
            return route.deed(asked.decider, body)

        try:
            return await route.lane.run(work)
        except Invalid:
            return fault(HTTPStatus.BAD_REQUEST, "invalid")
        except Unavailable:
            return fault(HTTPStatus.SERVICE_UNAVAILABLE, "disk")

    async def _answer(self, send: Send, asked: Asked, reply: Reply) -> None:
        digest = await asyncio.to_thread(digest_of_parts, reply.parts)
        proof = sign_answer(self._key, asked, self.epoch, reply.status, digest)
        await _send(send, reply, {PROOF_HEADER: proof})

    async def _body(self, receive: Receive, length: int, *, keep: bool = True) -> bytes | None:
        """A body of this very length; None if it is another, or takes too long."""
        parts: list[bytes] = []
        seen, more = 0, True
        try:
            async with asyncio.timeout(self._body_seconds):
                while more:
                    message = await receive()
                    part = message.get("body", b"")
                    seen += len(part)
                    if message["type"] != "http.request" or seen > length:
                        return None
                    more = message.get("more_body", False)
                    if keep:
                        parts.append(part)
        except TimeoutError:
            return None
        return b"".join(parts) if seen == length else None


def routes_of(counter: Counter, *, searches_at_once: int, waiting: int) -> dict[str, Route]:
    """What deciders may ask of a matcher."""
    searches = Lane("search", at_once=searches_at_once, waiting=waiting)
    deeds = Lane("deeds", at_once=DEEDS_AT_ONCE, waiting=DEEDS_WAITING)
    return {
        "/v1/search": Route(counter.search, LARGEST_SEARCH, searches),
        "/v1/among": Route(counter.among, LARGEST_LIST, deeds),
        "/v1/put": Route(counter.put, LARGEST_PUT, deeds),
        "/v1/keep": Route(counter.keep, LARGEST_LIST, deeds),
    }


def _proof(scope: Message) -> str:
    found = [value for name, value in scope["headers"] if name == PROOF_HEADER.encode()]
    return str(found[0], "ascii", "replace") if len(found) == 1 else ""


async def _send(send: Send, reply: Reply, headers: dict[str, str]) -> None:
    told = {"content-type": "application/octet-stream", "content-length": str(reply.length), **headers}
    told |= {"cache-control": "no-store"}
    if reply.status is HTTPStatus.SERVICE_UNAVAILABLE:
        told |= {"retry-after": "1"}
    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": int(reply.status), "headers": raw})
    for part in reply.parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
