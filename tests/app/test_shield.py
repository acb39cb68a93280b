from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from doorward.app.problems import install_problem_handlers
from doorward.app.shield import BodyLimit, add_headers
from doorward.core.errors import Conflict, Tampered, Unavailable


def client() -> TestClient:
    api = FastAPI()
    api.add_middleware(BodyLimit, most_bytes=100)
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

    return TestClient(api, raise_server_exceptions=False)


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
