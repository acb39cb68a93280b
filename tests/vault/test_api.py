from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient

from doorward.app.problems import STATUS, install_problem_handlers
from doorward.audit.api import routes as audit_routes
from doorward.audit.service import record
from doorward.core.errors import Unauthenticated
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor, Permission
from doorward.platform.db import Database
from doorward.vault.api import ROUTES
from doorward.vault.service import (
    Keepers,
    Vault,
    add_photo,
    erase_subject,
    make_subject_key,
    vault_movers,
)
from doorward.vault.service.answers import AnswerSeals

from ..conftest import SITE, SteppingClock

JPEG = b"\xff\xd8" + bytes(400)
PEOPLE = {
    "Bearer boss": Actor("staff_boss", {EVERY_SITE: EVERY_RIGHT}),
    "Bearer guard": Actor("staff_guard", {SITE: frozenset({Permission.GATES_READ})}),
}
AT = f"/api/v1/sites/{SITE}"


@pytest.fixture
def client(database: Database, vault: Vault) -> Iterator[TestClient]:
    api = FastAPI()
    install_problem_handlers(api)
    for each in (audit_routes, *ROUTES):
        api.include_router(each.router)

    def authenticate(request: Request) -> Actor:
        actor = PEOPLE.get(request.headers.get("Authorization", ""))
        if actor is None:
            raise Unauthenticated("Sign in first.")
        return actor

    api.state.database, api.state.vault, api.state.answer_sealer = database, vault, AnswerSeals(vault)
    api.state.authenticate, api.state.keepers = authenticate, Keepers(vault_movers(vault))
    api.state.second_person = lambda *_: None
    api.state.looks = lambda *_: None
    with TestClient(api, raise_server_exceptions=False, headers={"Authorization": "Bearer boss"}) as client:
        yield client


@pytest.fixture
def photo_id(database: Database, vault: Vault) -> str:
    with database.unit(PEOPLE["Bearer boss"], SITE) as unit:
        make_subject_key(unit, vault, "person_1")
        return add_photo(unit, vault, "person_1", JPEG)


def test_a_photo_comes_once_through_a_body_and_no_address(client: TestClient, photo_id: str) -> None:
    token = client.post(f"{AT}/vault/photos/{photo_id}/grants", json={"purpose": "guard-check"}).json()[
        "token"
    ]
    seen = client.post(f"{AT}/vault/views", json={"token": token})
    assert (seen.content, seen.headers["content-type"]) == (JPEG, "image/jpeg")
    assert seen.headers["cache-control"] == "no-store"
    assert client.post(f"{AT}/vault/views", json={"token": token}).status_code == 404
    ledger = client.get(f"{AT}/audit/subjects/person_1").json()
    assert [item["entry"]["event"] for item in ledger["items"]][1:] == ["photo.view_granted", "photo.viewed"]


def test_a_receipt_can_be_fetched_again(
    client: TestClient, database: Database, vault: Vault, photo_id: str
) -> None:
    with database.unit(PEOPLE["Bearer boss"], SITE) as unit:
        receipt = erase_subject(unit, vault, "person_1")
    assert client.get(f"{AT}/vault/receipts/person_1").json()["signature"] == receipt.signature.hex()
    assert client.get(f"{AT}/vault/receipts/person_2").status_code == 404


def test_keys_are_rotated_over_http(client: TestClient, vault: Vault) -> None:
    answer = client.post("/api/v1/vault/rotations", json={"use": "sign", "purpose": "audit"})
    assert answer.json() == {"key": "sign.audit", "generation": 2, "moved": 0, "done": True}
    assert len(client.get("/api/v1/vault/keys/audit").json()["keys"]) == 2
    for body, status in (
        ({"use": "wrap", "purpose": "audit"}, STATUS["invalid"]),
        ({"use": "x", "purpose": "audit"}, 422),
        ({"use": "seal", "purpose": "staff"}, 409),
    ):
        answer = client.post("/api/v1/vault/rotations", json=body)
        assert answer.status_code == status


def test_the_log_is_read_signed_and_proven_over_http(client: TestClient, database: Database) -> None:
    with database.unit(PEOPLE["Bearer boss"], SITE) as unit:
        for number in range(5):
            record(unit, "thing.done", number=number)
    assert client.get(f"{AT}/audit/head").status_code == 404
    first = client.post(f"{AT}/audit/heads", headers={"Idempotency-Key": "abcdefgh"}).json()
    assert first == client.post(f"{AT}/audit/heads", headers={"Idempotency-Key": "abcdefgh"}).json()
    page = client.get(f"{AT}/audit/entries?limit=2").json()
    assert [item["position"] for item in page["items"]] == [4, 3]
    following = client.get(f"{AT}/audit/entries?limit=2&cursor={page['next_cursor']}").json()
    assert [item["position"] for item in following["items"]] == [2, 1]
    second = client.post(f"{AT}/audit/heads").json()
    proven = client.get(f"{AT}/audit/entries/3").json()
    assert proven["head"] == second == client.get(f"{AT}/audit/head").json()
    assert len(proven["proof"]["path"]) == 3
    path = f"{AT}/audit/consistency?first={first['size']}&second={second['size']}"
    assert client.get(path).json()["path"]
    assert second["key_id"] in client.get(f"{AT}/audit/keys").json()["keys"]
    assert client.get(f"{AT}/audit/entries/99").status_code == 404


def test_segments_expire_over_http(client: TestClient, database: Database, clock: SteppingClock) -> None:
    with database.unit(PEOPLE["Bearer boss"], SITE) as unit:
        record(unit, "thing.done")
    clock.advance(days=1)
    body = {"before": clock.now.isoformat()}
    assert client.post(f"{AT}/audit/expire", json=body).json() == {"entries": 0}
    client.post(f"{AT}/audit/heads")
    assert client.post(f"{AT}/audit/expire", json=body).json() == {"entries": 1}


def test_everybody_sees_what_was_recorded_about_themselves_and_no_more(
    client: TestClient, database: Database
) -> None:
    with database.unit(PEOPLE["Bearer boss"], SITE) as unit:
        record(unit, "staff.changed", subject_id="staff_guard")
    guard = {"Authorization": "Bearer guard"}
    mine = client.get(f"{AT}/audit/mine", headers=guard).json()
    assert [item["entry"]["event"] for item in mine["items"]] == ["staff.changed"]
    assert mine["items"][0]["proof"] is None
    for path in ("/audit/entries", "/audit/head", "/audit/subjects/staff_guard"):
        assert client.get(AT + path, headers=guard).status_code in {403, 404}
    assert client.get(f"{AT}/audit/head", headers={"Authorization": ""}).status_code == 401
