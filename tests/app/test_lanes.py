import asyncio
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from doorward.app.house import House, create_house
from doorward.app.lanes import Lane, Refused, Width, Widths
from doorward.app.serve import server_config
from doorward.app.wiring import build_api
from doorward.core.connections import PatientConnection
from doorward.core.permissions import Permission
from doorward.people.service.api_keys import make_api_key
from doorward.platform.addresses import sender_of


@dataclass
class StuckPasswords:
    """Passwords that are checked for as long as the test likes."""

    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    finish: threading.Event = field(default_factory=threading.Event)

    def verify(self, stored: str | None, password: str) -> bool:
        self.entered.release()
        self.finish.wait()
        return False


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = create_house(tmp_path / "site")
    yield made
    made.close()


@contextmanager
def serving(api: FastAPI, connection: type[PatientConnection] = PatientConnection) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        config = server_config(api)
        config.http = connection
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield door.getsockname()[1]
        server.should_exit = True
        thread.join()


def ask(
    port: int, method: str, path: str, body: object = None, *, source: str = "127.0.0.1", key: str = ""
) -> tuple[int, dict[str, str]]:
    line = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    line.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
    answer = line.getresponse()
    answer.read()
    line.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def test_gates_are_answered_while_strangers_hold_every_place_at_the_front(house: House) -> None:
    with house.unit() as unit:
        rights = {house.site_id: frozenset({Permission.GATES_SIGHT})}
        until = unit.now.replace(year=unit.now.year + 1, day=1)
        _, key = make_api_key(unit, house.vault, label="agent", rights=rights, expires_at=until)
    api, passwords = build_api(house), StuckPasswords()
    api.state.passwords = passwords
    sighting = {"body": "e30", "signer_id": "agent_x", "signature": "AA"}
    place = f"/api/v1/sites/{house.site_id}/edge/sightings"
    with serving(api) as port, ThreadPoolExecutor(80) as strangers:
        tried = [
            strangers.submit(
                ask,
                port,
                "POST",
                "/api/v1/sign-in",
                {"login": f"nobody{number}", "password": "wrong password here"},
                source=f"127.0.{number % 7 + 1}.{number + 1}",
            )
            for number in range(80)
        ]
        for _ in range(Widths().passwords.at_once):
            assert passwords.entered.acquire(timeout=60)
        assert ask(port, "POST", place, sighting, key=key)[0] == 403  # decided: no such agent
        assert ask(port, "GET", "/health")[0] == 200
        assert ask(port, "GET", "/sign-in")[0] == 200
        turned_away = [
            one.result() for one in tried[Widths().passwords.at_once + Widths().passwords.waiting :]
        ]
        passwords.finish.set()
        answers = Counter(one.result()[0] for one in tried)
    refused = [headers for status, headers in turned_away if status == 503]
    assert refused and all(headers["retry-after"] for headers in refused)
    assert set(answers) <= {401, 503} and answers[503] > 60


def test_a_full_lane_refuses_at_once_and_one_sender_cannot_fill_it() -> None:
    async def fill() -> tuple[str, str]:
        lane = Lane(Width(at_once=1, waiting=1, patience_seconds=60, of_one_sender=1, body_bytes=0))
        async with lane.place("a"):
            second = asyncio.create_task(hold(lane, "b"))
            await asyncio.sleep(0)
            return await refusal(lane, "c", second), await refusal(lane, "a", second)

    async def hold(lane: Lane, sender: str) -> None:
        async with lane.place(sender):
            pass

    async def refusal(lane: Lane, sender: str, _: object) -> str:
        with pytest.raises(Refused) as told:
            await hold(lane, sender)
        return str(told.value)

    assert [words.split(" at once")[0] for words in asyncio.run(fill())] == [
        "Too many ask",
        "Too many requests",
    ]


def test_a_place_is_free_again_after_whoever_held_it_failed() -> None:
    async def fail_and_come_again() -> bool:
        lane = Lane(Width(at_once=1, waiting=0, patience_seconds=60, of_one_sender=1, body_bytes=0))
        with pytest.raises(ZeroDivisionError):
            async with lane.place("a"):
                raise ZeroDivisionError
        async with lane.place("a"):
            return True

    assert asyncio.run(fail_and_come_again())


def test_whoever_waits_too_long_is_told_to_come_back() -> None:
    async def wait() -> None:
        lane = Lane(Width(at_once=1, waiting=1, patience_seconds=0, of_one_sender=9, body_bytes=0))
        async with lane.place("a"), lane.place("b"):
            pass

    with pytest.raises(Refused):
        asyncio.run(wait())


def test_a_sign_in_sends_little_and_says_how_much(house: House) -> None:
    with serving(build_api(house)) as port:
        status, headers = ask(port, "POST", "/api/v1/sign-in", {"login": "x" * 70_000, "password": "y"})
        assert status == 413
        assert headers["cache-control"] == "no-store"
        with socket.create_connection(("127.0.0.1", port)) as line:
            head = "POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            line.sendall(head.encode() + b"2\r\n{}\r\n0\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 413")


class HastyConnection(PatientConnection):
    """Waits a moment only, and for few."""

    head_seconds = 0.2
    most = 3


def test_whoever_connects_and_says_nothing_is_let_go(house: House) -> None:
    with serving(build_api(house), HastyConnection) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as silent:
            assert silent.recv(1) == b""
        with socket.create_connection(("127.0.0.1", port), timeout=60) as slow:
            slow.sendall(b"GET /health HTT")
            with suppress(ConnectionResetError):
                assert slow.recv(1) == b""


class CrowdedConnection(PatientConnection):
    """Has room for few."""

    most = 3


def test_in_a_crowd_of_silent_connections_a_request_is_answered(house: House) -> None:
    with serving(build_api(house), CrowdedConnection) as port:
        crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        assert ask(port, "GET", "/health")[0] == 200
        for line in crowd:
            line.close()


def test_a_head_that_is_too_long_is_refused(house: House) -> None:
    with serving(build_api(house)) as port:
        assert ask(port, "GET", "/health?" + "x" * 9_000)[0] == 414
        assert ask(port, "GET", "/health", key="x" * 20_000)[0] == 431


@pytest.mark.parametrize("name", ["Authorization", "Idempotency-Key", "Content-Type", "Cookie"])
def test_a_header_that_counts_is_sent_once(house: House, name: str) -> None:
    with serving(build_api(house)) as port, socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(f"GET /health HTTP/1.1\r\nHost: x\r\n{name}: a\r\n{name}: b\r\n\r\n".encode())
        assert line.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("address", "sender"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        (None, "unknown"),
    ],
)
def test_an_ipv6_network_is_one_sender(address: str | None, sender: str) -> None:
    assert sender_of(address) == sender
