import asyncio

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.types import Message

from doorward.app.problems import install_problem_handlers
from doorward.app.shield import BodyLimit, add_headers
from doorward.core.errors import Conflict, Tampered, Unavailable


def served() -> FastAPI:
    api = FastAPI()
    api.add_middleware(BodyLimit, most_bytes=100, most_seconds=0.2)
    api.middleware("http")(add_headers)
    install_problem_handlers(api)

    @api.get("/conflict")
    def conflict() -> None:
        raise Conflict("Not now.", person="person_secret")

    @api.get("/busy")
    def busy() -> None:
        raise Unavailable("Later.")

    @api.get("/tampered")
    def tampered() -> None:
        raise Tampered("Broken.")

    @api.get("/mistake")
    def mistake() -> None:
        raise ZeroDivisionError("with a secret inside")

    @api.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @api.post("/ponder")
    async def ponder(request: Request) -> int:
        said = len(await request.body())
        await asyncio.sleep(0.4)
        return said

    @api.post("/read")
    def read(body: dict[str, str]) -> int:
        return len(body)

    return api


def client() -> TestClient:
    return TestClient(served(), raise_server_exceptions=False)


def status_of_a_slow_body(path: str) -> int:
    """What is answered to somebody who sends a part and then nothing, and never goes."""
    began: list[Message] = []
    parts = [{"type": "http.request", "body": b"{", "more_body": True}]

    async def receive() -> Message:
        if not parts:
            await asyncio.Event().wait()
        return parts.pop()

    async def send(message: Message) -> None:
        began.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", b"90")]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    asyncio.run(served()(scope, receive, send))
    return int(began[0]["status"])


@pytest.mark.parametrize("path", ["/echo", "/read"])
def test_a_body_that_comes_too_slowly_is_given_up(path: str) -> None:
    assert status_of_a_slow_body(path) == 408


def test_what_takes_long_after_its_body_came_is_answered() -> None:
    assert client().post("/ponder", content=b"x").json() == 1


def test_every_answer_is_shielded() -> None:
    answer = client().get("/conflict")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"


def test_errors_become_problem_documents_that_tell_no_facts() -> None:
    answer = client().get("/conflict")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "Not now."
    assert "person_secret" not in answer.text


def test_each_family_has_its_status() -> None:
    asked = client()
    assert [asked.get(path).status_code for path in ("/busy", "/tampered", "/mistake", "/none")] == [
        503,
        500,
        500,
        404,
    ]
    assert "secret" not in asked.get("/mistake").text


def test_a_body_that_is_too_large_is_refused_whether_declared_or_not() -> None:
    asked = client()
    assert asked.post("/echo", content=b"x" * 100).json() == 100
    assert asked.post("/echo", content=b"x" * 101).status_code == 413
    assert asked.post("/echo", content=iter([b"x" * 60, b"x" * 60])).status_code == 413
