"""The pages in a real browser: the policy holds, passkeys work, the browser complains about nothing."""

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect, sync_playwright

from doorward.core.clock import system_clock
from doorward.core.tls import ensure_certificate
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.frontdoor import front_door
from tests.people.staffroom import PASSWORD, Staffroom, quick_passwords

CHROMIUM = shutil.which("chromium")
KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


@pytest.fixture
def origin(room: Staffroom, tmp_path: Path) -> Iterator[str]:
    certificate, key = ensure_certificate(tmp_path, ["localhost"], system_clock())
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        config = uvicorn.Config(
            front_door(room, port), ssl_certfile=certificate, ssl_keyfile=key, log_config=None, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"https://localhost:{port}"
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(complaints: list[str]) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as player:
        options = ["--no-sandbox", "--ignore-certificate-errors"]
        browser = player.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(ignore_https_errors=True)
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
        yield page
        browser.close()


def test_a_link_a_passkey_and_back_in_again(
    room: Staffroom, origin: str, page: Page, complaints: list[str]
) -> None:
    page.goto(f"{origin}/setup#{room.first_token()}")
    expect(page.locator("#token")).to_be_hidden()
    assert "#" not in page.url
    page.fill("#name", "Ada")
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.click("main form button")
    page.click("[data-passkey-enrol]")
    expect(page.locator("[data-recovery-codes] li")).to_have_count(10)
    page.click("text=I have kept them")
    expect(page.locator("main")).to_contain_text("My passkey")
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    page.click("[data-passkey-sign-in]")
    page.wait_for_url(re.compile(r":\d+/$"))
    page.goto(f"{origin}/account")
    expect(page.locator("main")).to_contain_text("administrator")
    assert complaints == []
