import re

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Role
from doorward.people.service import staff
from doorward.platform.cookies import FORM_COOKIE, SESSION_COOKIE
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.frontdoor import front_door, visitor
from tests.people.staffroom import PASSWORD, Staffroom, quick_passwords

NAME = "<script>alert(1)</script>"


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


@pytest.fixture
def api(room: Staffroom) -> FastAPI:
    return front_door(room)


@pytest.fixture
def browser(api: FastAPI) -> TestClient:
    return visitor(api)


def send(browser: TestClient, page: str, path: str, **fields: str) -> Response:
    """Load a page, then send one of its forms."""
    found = re.search(r'name="form_token" value="([^"]+)"', browser.get(page).text)
    assert found
    return browser.post(path, data={"form_token": found[1], **fields})


def set_up(room: Staffroom, browser: TestClient) -> pyotp.TOTP:
    sent = send(
        browser, "/setup", "/setup", token=room.first_token() or "", login="ada", name=NAME, password=PASSWORD
    )
    assert sent.headers["location"] == "/account/second-factor"
    shown = send(browser, "/account/second-factor", "/account/totp")
    found = re.search(r'<p class="mono">([A-Z2-7]+)</p>', shown.text)
    assert found
    assert 'src="data:image/svg+xml' in shown.text
    return pyotp.TOTP(found[1])


def test_the_whole_way_from_the_link_to_ones_account(room: Staffroom, browser: TestClient) -> None:
    app = set_up(room, browser)
    assert browser.get("/account").headers["location"] == "/account/second-factor"
    wrong = send(browser, "/account/second-factor", "/account/totp/confirm", code="000000")
    assert (wrong.status_code, "is not right" in wrong.text) == (422, True)
    right = send(browser, "/account/second-factor", "/account/totp/confirm", code=room.code(app))
    assert len(re.findall(r"<li>([a-z0-9]{4}-){3}[a-z0-9]{4}</li>", right.text)) == 10
    mine = browser.get("/account").text
    assert "Authenticator app" in mine
    assert "10 left" in mine
    assert NAME not in mine
    assert "&lt;script&gt;" in mine


def test_signing_in_and_out_by_form(room: Staffroom, browser: TestClient) -> None:
    _, app = room.administrator()
    wrong = send(browser, "/sign-in", "/sign-in", login="ada", password="x", code=room.code(app))
    assert (wrong.status_code, "Login, password or code is wrong" in wrong.text) == (401, True)
    right = send(browser, "/sign-in", "/sign-in", login="ada", password=PASSWORD, code=room.code(app))
    assert (right.status_code, right.headers["location"]) == (303, "/")
    gone = send(browser, "/account", "/sign-out")
    assert gone.headers["location"] == "/sign-in"
    assert SESSION_COOKIE not in browser.cookies


def test_an_invitation_by_form(room: Staffroom, browser: TestClient) -> None:
    admin, _ = room.administrator()
    with room.database.unit(admin, EVERY_SITE) as unit:
        _, token = staff.create_staff(unit, room.vault, login="gus", name="G.", role=Role.GUARD)
    short = send(browser, "/welcome", "/welcome", token=token, password="too short")
    assert (short.status_code, "at least 15" in short.text) == (422, True)
    sent = send(browser, "/welcome", "/welcome", token=token, password=PASSWORD)
    assert sent.headers["location"] == "/account/second-factor"
    again = send(browser, "/welcome", "/welcome", token=token, password=PASSWORD)
    assert again.status_code == 422


def test_changes_on_the_account_page(room: Staffroom, browser: TestClient) -> None:
    app = set_up(room, browser)
    send(browser, "/account/second-factor", "/account/totp/confirm", code=room.code(app))
    only = send(browser, "/account", "/account/totp/remove")
    assert "only second factor" in only.text
    codes = send(browser, "/account", "/account/recovery-codes")
    assert "Recovery codes" in codes.text
    bad = send(browser, "/account", "/account/password", old=PASSWORD, new="password123")
    assert bad.status_code == 422
    done = send(browser, "/account", "/account/password", old=PASSWORD, new="nine birches")
    assert done.headers["location"] == "/account"
    assert browser.get("/account").status_code == 200
    lost = send(browser, "/account", "/account/password", old="a guess", new="ten birches")
    assert lost.headers["location"] == "/sign-in"
    assert browser.get("/account").status_code == 401


@pytest.mark.parametrize("path", ["/setup", "/welcome", "/sign-in", "/sign-out"])
def test_a_form_that_our_page_did_not_send_is_refused(browser: TestClient, path: str) -> None:
    browser.get("/sign-in")
    own = browser.cookies[FORM_COOKIE]
    assert browser.post(path, data={"form_token": "forged"}).status_code == 403
    assert browser.post(path, data={"login": "ada"}).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post(path, data={"form_token": own}, headers=elsewhere).status_code == 403
    assert browser.post(path, json={"form_token": own}).status_code == 422
    browser.cookies.clear()
    assert browser.post(path, data={"form_token": own}).status_code == 403


@pytest.mark.parametrize("path", ["/setup", "/welcome", "/sign-in"])
def test_pages_carry_no_script_or_style_of_their_own(browser: TestClient, path: str) -> None:
    text = browser.get(path).text
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", text)
    for link in re.findall(r'(?:src|href)="(/static/[^"]+)"', text):
        assert browser.get(link).status_code == 200, link


def test_the_setup_token_has_no_place_in_an_address(browser: TestClient) -> None:
    text = browser.get("/setup?token=secret-in-a-query").text
    assert "secret-in-a-query" not in text
