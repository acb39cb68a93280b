"""Every route is sent junk by somebody who may do everything; none may break."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.app.house import House, create_house
from doorward.app.problems import install_problem_handlers
from doorward.app.wiring import build_api
from doorward.core.encoding import to_text
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor, Permission
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_person

ACTOR = Actor("staff_x", {"site_home": EVERY_RIGHT, EVERY_SITE: EVERY_RIGHT})
HUGE = "9" * 30
WORDS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        HUGE,
        "1e309",
        "nan",
        "null",
        "true",
        "\x00",
        "٣",
        "..",
        "a" * 300,
        "ü",
        "%00",
        "{}",
        "[]",
    ]
    + ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2030-01-01", "2030-01-01T00:00:00Z"]
    + [to_text(text.encode()) for text in ("9" * 5000, HUGE, "٣", "\x00", "x")]
    + ["Europe/Berlin", "1:n", "face", "card + face", "front", "person_x", "gate_x"]
)
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**63 - 1, 2**63, 10**30, -(10**30), 1.5, 1e308])
LEAVES = st.one_of(WORDS, NUMBERS, st.booleans(), st.none(), st.text(max_size=20))
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = create_house(Path(tmp_path_factory.mktemp("junk")) / "site")
    yield made
    made.close()


@pytest.fixture(scope="module")
def api(house: House) -> FastAPI:
    made = build_api(house)
    made.state.authenticate = lambda _: ACTOR
    return made


@pytest.fixture(scope="module")
def client(api: FastAPI) -> TestClient:
    return TestClient(
        api, base_url="https://testserver", raise_server_exceptions=False, follow_redirects=False
    )


def like(schema: dict[str, Any], parts: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of about the right shape, with junk in all places."""
    if "$ref" in schema:
        return like(parts[schema["$ref"].rpartition("/")[2]], parts, depth)
    if schema.get("type") == "object" and depth < 4:
        known = {name: like(one, parts, depth + 1) for name, one in schema.get("properties", {}).items()}
        needed = {name: known.pop(name) for name in schema.get("required", ()) if name in known}
        return (
            st.fixed_dictionaries(needed, optional=known) | LEAVES
            if depth
            else st.fixed_dictionaries(needed, optional=known)
        )
    if schema.get("type") == "array" and depth < 4:
        return st.lists(like(schema.get("items", {}), parts, depth + 1), max_size=3)
    if "anyOf" in schema:
        return st.one_of([like(one, parts, depth + 1) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | WORDS
    kinds = {
        "integer": NUMBERS | st.integers(0, 50),
        "boolean": st.booleans(),
        "string": WORDS | st.text(max_size=20),
    }
    return kinds.get(schema.get("type", ""), LEAVES)


def routes_of(api: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, told)
        for path, methods in api.openapi()["paths"].items()
        for method, told in methods.items()
    ]


def body_of(told: dict[str, Any], parts: dict[str, Any]) -> st.SearchStrategy[bytes | None]:
    content = told.get("requestBody", {}).get("content", {}).get("application/json")
    junk = st.sampled_from([b"", b"[" * 50_000, b"{", b"\xff\xfe", b'{"a":"\\ud800"}', b"NaN", b"null"])
    if content is None:
        return st.none() | junk
    values = like(content["schema"], parts) | JSON
    return values.map(lambda value: json.dumps(value).encode()) | junk


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_junk_breaks_a_route(api: FastAPI, client: TestClient, house: House, data: st.DataObject) -> None:
    parts = api.openapi()["components"]["schemas"]
    for method, path, told in routes_of(api):
        filled = path
        query = {}
        for wanted in told.get("parameters", ()):
            if wanted["in"] == "path":
                value = house.site_id if wanted["name"] == "site_id" else data.draw(WORDS.filter(bool))
                filled = filled.replace("{" + wanted["name"] + "}", quote(value, safe=""))
            elif wanted["in"] == "query" and data.draw(st.booleans()):
                query[wanted["name"]] = data.draw(WORDS)
        key = data.draw(st.sampled_from([None, "k", "k" * 201, "12345678"]))
        headers = {"content-type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        body = data.draw(body_of(told, parts))
        answer = client.request(method, filled, params=query, content=body, headers=headers)
        assert answer.status_code < 500, (method, path, query, body and body[:300], answer.text)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PATCH", "BREW"])
@pytest.mark.parametrize(
    "path", ["/health", "/api/v1/sites/site_home/persons", "/sign-in", "/none", "/static/house/x"]
)
def test_unknown_methods_are_refused_and_shielded(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert 400 <= answer.status_code < 500
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        f"audit/entries/{HUGE}",
        f"audit/consistency?first=1&second={HUGE}",
        f"audit/entries?cursor={to_text(b'9' * 5000)}",
        f"audit/entries?cursor={to_text(HUGE.encode())}",
        f"passages?cursor={to_text(HUGE.encode())}",
        "passages?since=0001-01-01T00:00:00%2B14:00",
        "passages?until=9999-12-31T23:59:59-14:00",
    ],
)
def test_numbers_and_instants_out_of_reach_are_told_as_such(
    client: TestClient, house: House, path: str
) -> None:
    answer = client.get(f"/api/v1/sites/{house.site_id}/{path}")
    assert answer.status_code == 422
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_was_recorded_about_oneself_is_read_at_ones_own_sites_alone(house: House) -> None:
    api = build_api(house)
    api.state.authenticate = lambda _: Actor("staff_y", {house.site_id: frozenset({Permission.PEOPLE_READ})})
    asked = TestClient(api, base_url="https://testserver")
    assert asked.get(f"/api/v1/sites/{house.site_id}/audit/mine").status_code == 200
    assert asked.get("/api/v1/sites/site_made_up/audit/mine").status_code == 404


def test_a_code_is_told_once_even_under_the_same_key(client: TestClient, house: House) -> None:
    with house.unit() as unit:
        person = add_person(unit, house.vault, NewPerson(name="Ada Example", basis=Basis.CONSENT))
    path, once = f"/api/v1/sites/{house.site_id}/persons/{person.id}/qr", {"Idempotency-Key": "abcdefgh"}
    first, again = client.post(path, headers=once), client.post(path, headers=once)
    assert first.status_code == 200 and again.status_code == 409
    assert first.json()["token"] not in again.text
    visit = {"valid_from": unit.now.isoformat(), "valid_until": (unit.now + timedelta(hours=1)).isoformat()}
    body = {"name": "Bea Example", "host_id": person.id, "notice_version": "v1"} | visit
    place = f"/api/v1/sites/{house.site_id}/visitors"
    assert [client.post(place, json=body, headers=once).status_code for _ in range(2)] == [200, 409]


def test_an_answer_of_ours_to_a_mistake_of_ours_is_shielded_too() -> None:
    api = FastAPI()
    install_problem_handlers(api)

    @api.get("/mistake")
    def mistake() -> None:
        raise ZeroDivisionError

    answer = TestClient(api, raise_server_exceptions=False).get("/mistake")
    assert answer.status_code == 500
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_refused_method_is_told_which_there_are(client: TestClient) -> None:
    assert client.head("/health").headers["Allow"] == "GET"
