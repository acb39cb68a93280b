"""What was answered to a write about somebody goes with them, and the write is not done again."""

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.people.office import Office
from tests.people.test_persons_api import NAME, Desk

KEY = {"Idempotency-Key": "said-once-about-ada"}
PERSON = {"name": NAME, "basis": "contract", "notice_version": "2030-1"}
VISIT = {
    "name": "Bo Example",
    "notice_version": "1",
    "valid_from": "2030-01-07T08:00:00Z",
    "valid_until": "2030-01-07T18:00:00Z",
}


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def kept(office: Office) -> list[bytes]:
    with office.unit() as unit:
        return [bytes(row.answer) for row in unit.rows.execute(text("SELECT answer FROM kept_answers"))]


def deeds(office: Office) -> list[str]:
    return [event for event, _, _ in office.events() if event != "audit.read"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "identity", {"name": "Ada King"}),
        ("PUT", "limits", {"valid_until": "2031-01-01T00:00:00Z"}),
        ("PUT", "suspension", {"suspended": True}),
        ("POST", "cards", {"number": "04A1B2C3"}),
        ("POST", "qr", None),
        ("PUT", "pin", {"pin": "8305"}),
    ],
)
def test_after_an_erasure_no_write_about_the_person_is_answered_or_done_again(
    desk: Desk, office: Office, method: str, path: str, body: Any
) -> None:
    person_id = desk.register()
    desk.done(method, f"/persons/{person_id}/{path}", body, headers=KEY)
    desk.done("DELETE", f"/persons/{person_id}")
    before = deeds(office)
    again = desk.ask(method, f"/persons/{person_id}/{path}", body, headers=KEY)
    assert (again.status_code, deeds(office)) == (404, before)
    assert "erased" in again.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "address"),
    [("/persons", PERSON, "/persons"), ("/vehicles", {"plate": "KA 47 TRF"}, "/vehicles")],
)
def test_whoever_was_erased_is_not_registered_again_by_a_repeat(
    desk: Desk, office: Office, path: str, body: Any, address: str
) -> None:
    made = desk.done("POST", path, body, headers=KEY)
    assert desk.done("POST", path, body, headers=KEY) == made
    receipt = desk.done("DELETE", f"{address}/{made['id']}", headers=KEY)
    before = deeds(office)
    again = desk.ask("POST", path, body, headers=KEY)
    assert (again.status_code, deeds(office)) == (404, before)
    assert "erased" in again.json()["detail"]
    assert desk.done("GET", address)["items"] == []
    # The receipt is no longer about anybody who is known: it can be told again.
    assert desk.done("DELETE", f"{address}/{made['id']}", headers=KEY) == receipt


def test_an_invitation_sent_again_after_the_visitor_was_erased_invites_nobody(
    desk: Desk, office: Office
) -> None:
    host = desk.register()
    visit = VISIT | {"host_id": host}
    made = desk.done("POST", "/visitors", visit, headers=KEY)
    assert desk.ask("POST", "/visitors", visit, headers=KEY).status_code == 409
    desk.done("DELETE", f"/persons/{made['visitor']['id']}")
    assert desk.ask("POST", "/visitors", visit, headers=KEY).status_code == 404
    assert [one["id"] for one in desk.done("GET", "/persons")["items"]] == [host]


def test_a_stored_answer_about_somebody_opens_with_their_key_only(desk: Desk, office: Office) -> None:
    person_id = desk.register()
    desk.done("PUT", f"/persons/{person_id}/limits", {"valid_until": "2031-01-01T00:00:00Z"}, headers=KEY)
    (answer,) = kept(office)
    with office.unit() as unit:
        (row_id,) = unit.rows.execute(text("SELECT id FROM kept_answers")).scalars()
        opened = office.vault.unseal_answer(str(row_id), answer)
    assert opened.startswith(person_id.encode())
    assert b"2031" not in opened


def test_what_was_asked_is_not_kept_as_a_bare_hash_that_tells_a_pin(desk: Desk, office: Office) -> None:
    person_id = desk.register()
    desk.done("PUT", f"/persons/{person_id}/pin", {"pin": "8305"}, headers=KEY)
    sent = desk.client.build_request("PUT", "/", json={"pin": "8305"}).content
    with office.unit() as unit:
        (row,) = unit.rows.execute(text("SELECT * FROM kept_answers")).all()
    told = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert hashlib.sha256(sent).digest() not in told
    assert json.loads(sent) == {"pin": "8305"}


def test_a_key_used_for_another_request_is_a_conflict(desk: Desk) -> None:
    person_id = desk.register()
    desk.done("PUT", f"/persons/{person_id}/suspension", {"suspended": True}, headers=KEY)
    other = desk.ask("PUT", f"/persons/{person_id}/suspension", {"suspended": False}, headers=KEY)
    assert other.status_code == 409
