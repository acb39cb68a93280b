from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from doorward.platform.cookies import SESSION_COOKIE
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SITE, SteppingClock
from tests.people.authenticator import Authenticator
from tests.people.frontdoor import ORIGIN, front_door, visitor
from tests.people.staffroom import PASSWORD, Staffroom, quick_passwords

V1 = "/api/v1"
HERE = f"{V1}/sites/{SITE}"
EVERYWHERE = f"{V1}/sites/*"


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


@pytest.fixture
def api(room: Staffroom) -> FastAPI:
    return front_door(room)


def post(client: TestClient, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def with_app(room: Staffroom, client: TestClient) -> tuple[pyotp.TOTP, list[str]]:
    address = post(client, f"{V1}/account/totp")["address"]
    app = pyotp.TOTP(parse_qs(urlparse(address).query)["secret"][0])
    codes = post(client, f"{V1}/account/totp/confirm", {"code": room.code(app)})["recovery_codes"]
    room.clock.advance(seconds=30)
    return app, codes


@pytest.fixture
def admin(room: Staffroom, api: FastAPI) -> TestClient:
    client = visitor(api)
    body = {"token": room.first_token(), "login": "ada", "name": "A.", "password": PASSWORD}
    assert post(client, f"{V1}/setup", body)["stage"] == "enrolling"
    with_app(room, client)
    return client


def test_setup_ends_in_a_full_session_and_ten_recovery_codes(room: Staffroom, api: FastAPI) -> None:
    client = visitor(api)
    body = {"token": room.first_token(), "login": "ada", "name": "A.", "password": PASSWORD}
    post(client, f"{V1}/setup", body)
    assert client.get(f"{EVERYWHERE}/staff").status_code == 404
    _, codes = with_app(room, client)
    assert len(set(codes)) == 10
    assert client.get(f"{EVERYWHERE}/staff").json()["items"][0]["login"] == "ada"
    assert client.get(f"{V1}/account").json()["stage"] == "full"


def test_the_cookie_is_as_strict_as_browsers_allow(room: Staffroom, api: FastAPI) -> None:
    body = {"token": room.first_token(), "login": "ada", "name": "A.", "password": PASSWORD}
    cookie = visitor(api).post(f"{V1}/setup", json=body).headers["set-cookie"]
    assert cookie.startswith("__Host-doorward=")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_signing_in_and_out_again(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    client = visitor(api)
    wrong = {"login": "ada", "password": "not this one", "code": room.code(app)}
    refused = post(client, f"{V1}/sign-in", wrong, 401)
    assert "ada" not in str(refused)
    post(client, f"{V1}/sign-in", wrong | {"password": PASSWORD})
    old = client.cookies[SESSION_COOKIE]
    this, other = client.get(f"{V1}/account/sessions").json()["items"]
    assert (this["is_this_one"], other["is_this_one"]) == (True, False)
    assert client.delete(f"{V1}/account/sessions/{other['session_id']}").status_code == 200
    post(client, f"{V1}/sign-out")
    assert SESSION_COOKIE not in client.cookies
    client.cookies.set(SESSION_COOKIE, old)
    assert client.get(f"{V1}/account").status_code == 401


def test_a_passkey_is_enrolled_and_signs_in(admin: TestClient, api: FastAPI) -> None:
    device = Authenticator(ORIGIN)
    made = device.create(post(admin, f"{V1}/account/passkeys/options")["options"])
    assert post(admin, f"{V1}/account/passkeys", {"answer": made, "label": "key"}) == {"recovery_codes": []}
    client = visitor(api)
    answer = device.get(post(client, f"{V1}/sign-in/passkey/options")["options"])
    assert post(client, f"{V1}/sign-in/passkey", {"answer": answer})["stage"] == "full"
    assert client.get(f"{EVERYWHERE}/staff").status_code == 200
    post(visitor(api), f"{V1}/sign-in/passkey", {"answer": answer}, 401)


def test_factors_are_changed_only_soon_after_signing_in(room: Staffroom, admin: TestClient) -> None:
    room.clock.advance(minutes=16)
    post(admin, f"{V1}/account/recovery-codes", status=403)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Doorward-CSRF": "1", "Origin": "https://evil.test"},
        {"X-Doorward-CSRF": "1", "Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
def test_another_sites_page_cannot_use_our_cookie(
    admin: TestClient, api: FastAPI, headers: dict[str, str]
) -> None:
    client = TestClient(api, base_url=ORIGIN, cookies={SESSION_COOKIE: admin.cookies[SESSION_COOKIE]})
    assert client.post(f"{V1}/account/recovery-codes", headers=headers).status_code == 403
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(f"{V1}/account/recovery-codes", headers=headers | form).status_code == 403


def test_an_invited_colleague_works_at_his_site_only(
    room: Staffroom, admin: TestClient, api: FastAPI
) -> None:
    body = {"login": "gus", "name": "G.", "role": "guard"}
    invited = post(admin, f"{HERE}/staff", body, 201)
    client = visitor(api)
    post(client, f"{V1}/welcome", {"token": invited["token"], "password": PASSWORD})
    with_app(room, client)
    rights = client.get(f"{V1}/account").json()["rights"]
    assert list(rights) == [SITE]
    assert client.get(f"{HERE}/staff").status_code == 403
    assert client.get(f"{V1}/sites/site_other/staff").status_code == 404
    assert client.get(f"{EVERYWHERE}/staff").status_code == 404
    listed = admin.get(f"{HERE}/staff").json()["items"]
    assert sorted(one["login"] for one in listed) == ["ada", "gus"]
    path = f"{HERE}/staff/{invited['account_id']}"
    assert admin.get(path).json()["has_second_factor"] is True
    assert admin.put(f"{path}/roles/fleet-manager", json={}).status_code == 200
    held = admin.get(f"{path}/roles").json()["items"]
    assert [one["role"] for one in held] == ["fleet-manager", "guard"]
    assert client.get(f"{V1}/account").json()["rights"][SITE] != rights[SITE]
    post(admin, f"{path}/roles/fleet-manager/take", {})
    post(admin, f"{path}/close", {})
    assert client.get(f"{V1}/account").status_code == 401


def test_a_key_calls_without_a_cookie_and_ends_when_revoked(admin: TestClient, api: FastAPI) -> None:
    body = {"label": "north gate", "rights": ["staff:manage"], "expires_at": "2030-06-01T00:00:00Z"}
    made = post(admin, f"{HERE}/api-keys", body, 201)
    program = TestClient(api, base_url=ORIGIN, headers={"Authorization": f"Bearer {made['token']}"})
    assert program.get(f"{HERE}/staff").status_code == 200
    assert program.get(f"{EVERYWHERE}/staff").status_code == 404
    too_much = body | {"rights": ["gates:sight"]}
    assert program.post(f"{HERE}/api-keys", json=too_much).status_code == 403
    (listed,) = admin.get(f"{HERE}/api-keys").json()["items"]
    assert listed["used_at"] is not None
    assert made["token"].split("_", 2)[2] not in str(listed)
    assert admin.delete(f"{HERE}/api-keys/{made['key_id']}").status_code == 200
    assert program.get(f"{HERE}/staff").status_code == 401


def test_two_people_approve_over_http(room: Staffroom, admin: TestClient, api: FastAPI) -> None:
    invited = post(admin, f"{HERE}/staff", {"login": "dee", "name": "D.", "role": "guard"}, 201)
    admin.put(f"{HERE}/staff/{invited['account_id']}/roles/data-protection-officer", json={})
    officer = visitor(api)
    post(officer, f"{V1}/welcome", {"token": invited["token"], "password": PASSWORD})
    with_app(room, officer)
    proposal = {
        "action": "people.erase-many",
        "facts": {"persons": ["person_b", "person_a"]},
        "reason": "the site closes",
    }
    asked = post(admin, f"{HERE}/approvals", proposal, 201)["approval_id"]
    post(admin, f"{HERE}/approvals/{asked}/approve", status=403)
    assert officer.get(f"{HERE}/approvals").json()["items"][0]["approval_id"] == asked
    assert officer.get(f"{HERE}/approvals/{asked}").json()["reason"] == "the site closes"
    assert post(officer, f"{HERE}/approvals/{asked}/approve")["approved_by"] == invited["account_id"]
    post(officer, f"{HERE}/approvals/{asked}/withdraw")
    assert officer.get(f"{HERE}/approvals").json()["items"] == []


def test_changing_the_password_keeps_this_session_only(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    one, two = visitor(api), visitor(api)
    for client in (one, two):
        body = {"login": "ada", "password": PASSWORD, "code": room.code(app)}
        post(client, f"{V1}/sign-in", body)
        room.clock.advance(seconds=30)
    post(one, f"{V1}/account/password", {"old": PASSWORD, "new": "nine birches"})
    assert one.get(f"{V1}/account").status_code == 200
    assert two.get(f"{V1}/account").status_code == 401
    post(one, f"{V1}/account/password", {"old": PASSWORD, "new": "ten birches"}, 401)
    assert one.get(f"{V1}/account").status_code == 401


def test_every_route_turns_a_stranger_away_or_says_why_not(api: FastAPI) -> None:
    client = visitor(api)
    public = {"/sign-in", "/sign-in/passkey/options", "/sign-in/passkey", "/sign-out", "/setup", "/welcome"}
    for path, verbs in api.openapi()["paths"].items():
        for verb in verbs:
            if path.removeprefix(V1) not in public:
                answer = client.request(verb, path.replace("{site_id}", SITE), json={})
                assert answer.status_code == 401, (verb, path)


def test_a_form_of_another_site_signs_nobody_in(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    body = f'{{"login": "ada", "password": "{PASSWORD}", "code": "{room.code(app)}"}}'
    client = TestClient(api, base_url=ORIGIN)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        answer = client.post(f"{V1}/sign-in", content=body, headers={"content-type": kind})
        assert answer.status_code == 422
        assert not client.cookies
    assert client.post(f"{V1}/sign-in", content=body, headers={"content-type": "application/json"}).is_success


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("api-keys", {"label": "lift", "rights": ["gates:read"], "network": ["10.1.0.0/16"]}),
        ("staff", {"login": "gus", "name": "G.", "role": "guard", "site": SITE}),
        ("approvals", {"action": "people.look-on", "facts": {"account": "a"}, "reason": "x", "until": "now"}),
    ],
)
def test_a_misspelt_limit_is_an_error_and_never_ignored(
    admin: TestClient, room: Staffroom, path: str, body: dict[str, Any]
) -> None:
    life = {"expires_at": (room.clock.now + timedelta(days=1)).isoformat()} if path == "api-keys" else {}
    faults = post(admin, f"{HERE}/{path}", body | life, status=422)["faults"]
    assert [fault["field"] for fault in faults] == [f"body.{list(body)[-1]}"]
