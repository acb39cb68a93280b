import asyncio
import re
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.requests import Request

from doorward.app.problems import install_problem_handlers
from doorward.core.permissions import EVERY_RIGHT, Actor, Permission
from doorward.people.api import credentials, faces, groups, persons, vehicles, visitors
from doorward.platform.settings import Settings
from doorward.platform.web import Call
from doorward.vault.service.answers import AnswerSeals
from tests.conftest import GUARD, SITE
from tests.people.office import Office

HERE = f"/api/v1/sites/{SITE}"
ROUTES = (persons, faces, credentials, visitors, groups, vehicles)
NAME, NUMBER = "Ada Lovelace", "X1234567"
FORM = {"basis": "consent", "notice": "2030-1"}


class Desk:
    """The routes behind a door that knows one actor."""

    def __init__(self, office: Office) -> None:
        self.app = FastAPI()
        for room in ROUTES:
            self.app.include_router(room.routes.router)
        install_problem_handlers(self.app)
        state = self.app.state
        state.database, state.vault, state.recogniser = office.database, office.vault, office.recogniser
        state.answer_sealer, state.settings = AnswerSeals(office.vault), Settings()
        state.looks = lambda *_: None
        self.let_in(GUARD)
        self.client = TestClient(self.app)

    def let_in(self, actor: Actor) -> None:
        self.app.state.authenticate = lambda _: actor

    def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return self.client.request(method, HERE + path, json=body, **more)

    def done(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = self.ask(method, path, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, **said: Any) -> str:
        told = {"name": NAME, "basis": "contract", "notice_version": "2030-1"} | said
        found: str = self.done("POST", "/persons", told)["id"]
        return found


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def test_a_person_is_registered_found_seen_limited_exported_and_erased(desk: Desk, office: Office) -> None:
    person_id = desk.register(id_number=NUMBER)
    listed = desk.ask("GET", "/persons")
    assert [one["id"] for one in listed.json()["items"]] == [person_id]
    assert NAME not in listed.text
    assert desk.done("POST", "/persons/search", {"name": "ada lovelace"}) == {"ids": [person_id]}
    assert desk.done("POST", "/persons/search", {"id_number": "x-1234567"}) == {"ids": [person_id]}
    desk.done("PUT", f"/persons/{person_id}/identity", {"name": "Ada King"})
    desk.done("PUT", f"/persons/{person_id}/limits", {"valid_until": "2031-01-01T00:00:00Z"})
    desk.done("PUT", f"/persons/{person_id}/suspension", {"suspended": True})
    seen = desk.done("GET", f"/persons/{person_id}?purpose=guard-check")
    assert (seen["name"], seen["id_number"], seen["person"]["suspended"]) == ("Ada King", NUMBER, True)
    export = desk.done("POST", f"/persons/{person_id}/export", {"purpose": "access-request"})["content"]
    assert export["person"]["name"] == "Ada King"
    receipt = desk.done("DELETE", f"/persons/{person_id}")
    assert receipt["body"]["subject_id"] == person_id
    assert desk.ask("GET", f"/persons/{person_id}?purpose=guard-check").status_code == 404
    assert [subject for _, subject, _ in office.events("person.viewed")] == [person_id, person_id]


def test_a_write_sent_twice_under_one_key_registers_one_person(desk: Desk) -> None:
    key = {"Idempotency-Key": "registering-ada"}
    body = {"name": NAME, "basis": "contract", "notice_version": "1"}
    first, again = (desk.done("POST", "/persons", body, headers=key) for _ in range(2))
    assert first == again
    assert len(desk.done("GET", "/persons")["items"]) == 1


def test_long_lists_come_in_pages_without_gaps(desk: Desk) -> None:
    made = {desk.register() for _ in range(5)}
    seen, cursor = list[str](), ""
    while True:
        page = desk.done("GET", f"/persons?limit=2{cursor}")
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert (len(seen), set(seen)) == (5, made)


def test_credentials_go_in_and_only_a_fresh_code_comes_out(desk: Desk) -> None:
    person_id = desk.register()
    card = desk.done("POST", f"/persons/{person_id}/cards", {"number": "04A1B2C3"})
    code = desk.done("POST", f"/persons/{person_id}/qr")
    desk.done("PUT", f"/persons/{person_id}/pin", {"pin": "8305", "duress": "7264"})
    listed = desk.ask("GET", f"/persons/{person_id}/credentials")
    assert {one["kind"] for one in listed.json()["items"]} == {"card", "qr"}
    assert listed.json()["pin_is_set"] is True
    assert not [secret for secret in ("04A1B2C3", "8305", code["token"]) if secret in listed.text]
    assert code["svg"].startswith("<svg")
    desk.done("DELETE", f"/persons/{person_id}/credentials/{card['id']}")
    desk.done("DELETE", f"/persons/{person_id}/pin")
    assert desk.done("GET", f"/persons/{person_id}/credentials")["pin_is_set"] is False


def test_a_visitor_is_invited_by_a_host_and_sent_home(desk: Desk) -> None:
    visit = {
        "name": "Mary Somerville",
        "host_id": desk.register(),
        "valid_from": "2030-01-07T12:00:00Z",
        "valid_until": "2030-01-07T18:00:00Z",
        "notice_version": "1",
    }
    invited = desk.done("POST", "/visitors", visit)
    assert (invited["visitor"]["kind"], len(invited["code"]["token"])) == ("visitor", 22)
    desk.done("POST", f"/visitors/{invited['visitor']['id']}/end")
    assert desk.ask("POST", f"/visitors/{invited['visitor']['id']}/end").status_code == 409


def test_groups_are_made_joined_and_left(desk: Desk) -> None:
    person_id, group = desk.register(), desk.done("POST", "/groups", {"name": "Day shift"})
    assert desk.done("GET", "/groups") == {"items": [group]}
    desk.done("PUT", f"/groups/{group['id']}/members/{person_id}")
    assert desk.done("GET", f"/persons/{person_id}?purpose=guard-check")["group_ids"] == [group["id"]]
    desk.done("DELETE", f"/groups/{group['id']}/members/{person_id}")
    assert desk.done("GET", f"/persons/{person_id}?purpose=guard-check")["group_ids"] == []


def test_nobody_leaves_a_group_of_another_site(desk: Desk) -> None:
    person_id, group = desk.register(), desk.done("POST", "/groups", {"name": "Day shift"})
    desk.done("PUT", f"/groups/{group['id']}/members/{person_id}")
    desk.let_in(Actor("staff_other", {"site_other": EVERY_RIGHT}))
    path = f"/api/v1/sites/site_other/groups/{group['id']}/members/{person_id}"
    assert desk.client.delete(path).status_code == 404
    desk.let_in(GUARD)
    assert desk.done("GET", f"/persons/{person_id}?purpose=guard-check")["group_ids"] == [group["id"]]


def test_a_vehicle_is_registered_found_seen_listed_and_erased(desk: Desk) -> None:
    vehicle_id = desk.done("POST", "/vehicles", {"plate": "b-ob 123", "label": "bakery"})["id"]
    assert "BOB123" not in desk.ask("GET", "/vehicles").text
    assert desk.done("POST", "/vehicles/search", {"plate": "BOB123"}) == {"ids": [vehicle_id]}
    seen = desk.done("GET", f"/vehicles/{vehicle_id}?purpose=guard-check")
    assert (seen["plate"], seen["label"]) == ("BOB123", "bakery")
    assert desk.done("PUT", f"/vehicles/{vehicle_id}/listing", {"listing": "deny"})["listing"] == "deny"
    desk.done("PUT", f"/vehicles/{vehicle_id}/suspension", {"suspended": True})
    assert desk.done("DELETE", f"/vehicles/{vehicle_id}")["body"]["subject_id"] == vehicle_id
    assert desk.done("POST", "/vehicles/search", {"plate": "BOB123"}) == {"ids": []}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/persons", {"name": "Ada Lovelace", "basis": "because", "notice_version": "1"}),
        (
            "/persons",
            {"name": "Ada Lovelace", "basis": "contract", "notice_version": "1", "nmae": "Ada Lovelace"},
        ),
        ("/persons/search", {"name": "Ada Lovelace", "id_number": NUMBER}),
        ("/persons/search", {"id_number": "12"}),
        ("/vehicles", {"plate": "Ada Lovelace!!"}),
    ],
)
def test_a_bad_body_is_refused_with_a_sentence_that_repeats_nothing(desk: Desk, path: str, body: Any) -> None:
    answer = desk.ask("POST", path, body)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert not [value for value in ("Lovelace", NUMBER) if value in answer.text]


@pytest.mark.parametrize("purpose", ["", "x", "For%20Ada%20Lovelace"])
def test_nobody_is_shown_without_a_purpose_in_code(desk: Desk, purpose: str) -> None:
    person_id = desk.register()
    answer = desk.ask("GET", f"/persons/{person_id}?purpose={purpose}")
    assert (answer.status_code, "Lovelace" in answer.text) == (422, False)


@pytest.mark.parametrize(
    ("form", "files", "word"),
    [
        ({}, [("photos", b"x")], "basis"),
        (FORM | {"basis": "because"}, [("photos", b"x")], "basis"),
        (FORM, [("other", b"x")], "photos"),
        (FORM, [("photos", b"x")] * 11, "at most 10"),
        (FORM | {"basis": "contract"}, [("photos", b"x")], "consent"),
        ({"basis": "consent"}, [("photos", b"x")], "notice"),
    ],
)
def test_a_form_that_cannot_be_used_says_why(
    desk: Desk, form: dict[str, str], files: list[tuple[str, bytes]], word: str
) -> None:
    sent = [(name, ("a.jpg", content)) for name, content in files]
    path = f"{HERE}/persons/{desk.register()}/face"
    answer = desk.client.post(path, data=form, files=sent)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


def test_a_file_that_is_no_picture_is_a_refused_photo_with_its_reason(desk: Desk) -> None:
    path = f"{HERE}/persons/{desk.register()}/face"
    answer = desk.client.post(path, data=FORM, files=[("photos", ("a.jpg", b"no picture"))])
    assert (answer.status_code, answer.json()["enrolled"]) == (200, False)
    (photo,) = answer.json()["photos"]
    assert photo["accepted"] is False
    assert photo["reason"]
    assert desk.client.post(path, json={}).status_code == 422


def test_who_alone_may_not_approve_cannot_call_a_like_face_another(desk: Desk) -> None:
    person_id = desk.register()
    desk.let_in(Actor("staff_clerk", {SITE: frozenset({Permission.PEOPLE_ENROL})}))
    answer = desk.client.post(
        f"{HERE}/persons/{person_id}/face",
        data=FORM | {"distinct_reason": "twins, both seen"},
        files=[("photos", ("a.jpg", b"x"))],
    )
    assert answer.status_code == 403


def test_a_large_photo_is_never_written_to_a_temporary_file() -> None:
    content = b"--edge\r\nContent-Disposition: form-data; name=photos; filename=a.jpg\r\n\r\n"
    body = content + b"\xff" * (3 * 1024 * 1024) + b"\r\n--edge--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=edge")]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def rolled() -> bool:
        request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
        form = await faces.parse_form(Call(GUARD, SITE, request, b""))
        spilled = bool(form["photos"].file._rolled)  # type: ignore[union-attr]
        await form.close()
        return spilled

    assert asyncio.run(rolled()) is False


def test_every_route_wants_a_right_and_knows_no_other_site(desk: Desk) -> None:
    asked = 0
    for room in ROUTES:
        for route in room.routes.router.routes:
            path = re.sub(r"\{\w+\}", "x", route.path.replace("{site_id}", SITE))
            (method,) = route.methods
            for rights, status in (
                ({SITE: frozenset({Permission.AUDIT_READ})}, 403),
                ({"other": EVERY_RIGHT}, 404),
            ):
                desk.let_in(Actor("staff_clerk", rights))
                assert desk.client.request(method, path).status_code == status, (method, path)
            asked += 1
    assert asked == 34
