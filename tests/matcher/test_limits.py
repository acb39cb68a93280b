"""Bounded in everything: sizes, waiting, slow senders, slow readers."""

import asyncio
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import uvicorn

from doorward.core.clock import system_clock
from doorward.core.errors import Unavailable
from doorward.gallery.model import Wanted
from doorward.matching import messages
from doorward.matching.messages import Kind
from doorward.matching.messages_signed import PROOF_HEADER, sign_request
from doorward.matching.queries import Query
from doorward_matcher.counter import Counter
from doorward_matcher.front import Front, Message, routes_of
from doorward_matcher.serving import BoundedConnection
from tests.matcher.world import Decider, Raw, Running, code_of, same, search, serving, until


def test_a_search_that_lacks_a_block_says_which(raw: Raw, decider: Decider) -> None:
    (digest,) = decider.sealed()
    _, answer = raw.post("search", search(decider.query(), [digest, "ab" * 32]))
    assert answer.status_code == 404
    assert messages.decode_list(answer.content, Kind.LACKS) == [digest, "ab" * 32]
    _, answer = raw.post("among", messages.encode_list(Kind.AMONG, [digest]))
    assert messages.decode_list(answer.content, Kind.LACKS) == [digest]


def test_a_block_under_another_name_is_not_kept(raw: Raw, plain: Running, decider: Decider) -> None:
    cells = decider.blocks.get(decider.sealed()[0])
    _, answer = raw.post("put", messages.encode_put("ab" * 32, cells))
    assert (answer.status_code, code_of(answer)) == (400, "another-block")
    assert not [path for path in plain.files if path.name == "ab" * 32]


@pytest.mark.parametrize("name", ["search", "put", "keep", "among"])
def test_malformed_messages_are_told_so(raw: Raw, name: str) -> None:
    for body in (
        b"",
        b"x",
        messages.encode_done(),
        search(Query(np.zeros((2048, 1), np.int32), bytes(32)), [])[:-1],
    ):
        _, answer = raw.post(name, body)
        assert (answer.status_code, code_of(answer)) == (400, "invalid")


def test_an_oversized_message_is_not_read(raw: Raw, plain: Running) -> None:
    body = bytes(messages.LARGEST_PUT + 1)
    with raw.client.stream(
        "POST", "/v1/put", content=iter([b"x"]), headers=_headed(raw, "put", body)
    ) as answer:
        assert answer.status_code == 413
        answer.read()


def test_a_body_longer_than_it_says_is_cut(raw: Raw) -> None:
    header = raw.signed("among", b"short").header
    answer = raw.send("among", header, bytes(100_000))
    assert answer.status_code == 408


def test_a_long_head_is_refused(plain: Running) -> None:
    with socket.create_connection(("127.0.0.1", plain.port)) as line:
        line.sendall(b"POST /v1/search HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 60_000)
        line.settimeout(5)
        assert line.recv(100).startswith(b"HTTP/1.1 400")


def test_more_than_may_wait_are_told_to_come_again(raw: Raw, plain: Running, decider: Decider) -> None:
    wanted, query = [Wanted("shelf_busy", decider.sealed())], decider.query()
    matcher = decider.matcher(plain)
    matcher.answer(query, wanted)
    body = search(query, wanted[0].digests)
    slow = [raw.half("search", body)]

    def is_full() -> bool:
        slow.append(raw.half("search", body))  # one in its turn, one that waits
        time.sleep(0.05)
        return raw.post("search", body)[1].status_code == 503

    try:
        until(is_full)
        _, answer = raw.post("search", body)
        assert (answer.headers["retry-after"], code_of(answer)) == ("1", "busy")
        with pytest.raises(Unavailable, match="more searches than it takes"):
            matcher.answer(query, wanted)
        assert raw.post("among", messages.encode_list(Kind.AMONG, []))[1].status_code == 200
    finally:
        for line in slow:
            line.close()
    until(lambda: raw.post("search", body)[1].status_code == 200)
    assert same(matcher.answer(query, wanted), decider.truth(query, wanted))


def test_a_stranger_takes_no_memory(raw: Raw, plain: Running, decider: Decider) -> None:
    assert plain.process is not None
    before = psutil.Process(plain.process.pid).memory_info().rss
    for _ in range(20):
        with suppress(httpx.TransportError):  # it is cut while it still sends
            assert raw.client.post("/v1/search", content=bytes(4_000_000)).status_code == 401
    assert psutil.Process(plain.process.pid).memory_info().rss < before + 8_000_000


def test_a_matcher_is_small_beside_its_blocks(place: Path, decider: Decider) -> None:
    """What it is without blocks, and what it was while it started: a million faces are 489 MiB more."""
    with serving(place / "small", decider) as running:
        assert running.process is not None
        status = Path(f"/proc/{running.process.pid}/status").read_text()
        now, most = (int(status.split(name)[1].split()[0]) / 1024 for name in ("VmRSS:", "VmHWM:"))
    assert now < 140
    assert most < 260


def _headed(raw: Raw, name: str, body: bytes) -> dict[str, str]:
    return {PROOF_HEADER: raw.signed(name, body).header}


def _front(folder: Path, decider: Decider, **limits: float) -> Front:
    public = frozenset([decider.key.public_key().public_bytes_raw()])
    counter = Counter(folder / "blocks", public, threads=1, most_blocks=9)
    routes = routes_of(counter, searches_at_once=1, waiting=1)
    return Front(routes, decider.key, public, system_clock, **limits)


def test_a_slow_sender_is_not_waited_for(tmp_path: Path, decider: Decider) -> None:
    front = _front(tmp_path, decider, body_seconds=0.05)
    public = decider.key.public_key().public_bytes_raw()
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    request = sign_request(decider.key, public, front.epoch, "/v1/search", b"body", now=system_clock())
    scope = {
        "method": "POST",
        "path": "/v1/search",
        "headers": [(PROOF_HEADER.encode(), request.header.encode())],
    }
    asyncio.run(front(scope, receive, send))
    assert sent[0]["status"] == 408


def test_a_slow_reader_is_cut(tmp_path: Path) -> None:
    """An answer of 64 MiB to somebody who does not read it."""
    left = threading.Event()

    class Quick(BoundedConnection):
        request_seconds = 0.3

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            left.set()

    async def large(scope: Message, receive: object, send: object) -> None:
        headers = [(b"content-length", str(64 << 20).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        for _ in range(64):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]

    server = uvicorn.Server(
        uvicorn.Config(large, http=Quick, ws="none", lifespan="off", log_config=None, access_log=False)
    )
    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            with socket.create_connection(door.getsockname()) as line:
                line.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                started = time.monotonic()
                assert left.wait(5)
                assert time.monotonic() - started < 3
        finally:
            server.should_exit = True
            thread.join(10)
