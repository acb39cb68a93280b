"""What a stranger, a thief or a colleague too eager would try at the front door."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyotp
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from doorward.core.errors import Conflict, Denied, NotFound
from doorward.core.permissions import EVERY_SITE, Actor, Permission, system_actor
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Role
from doorward.people.model.staff import SignInRefusal
from doorward.people.pages import ROUTES as PAGES
from doorward.people.service import api_keys, approvals, factors, roles, staff
from doorward.people.service.authentication import identify_caller
from doorward.platform.cookies import DEVICE_COOKIE, FORM_COOKIE, SESSION_COOKIE
from doorward.platform.db import Database, Unit
from doorward.vault.service import Vault
from tests.conftest import SITE, SteppingClock
from tests.people.frontdoor import ORIGIN, front_door, visitor
from tests.people.staffroom import NOBODY, PASSWORD, Staffroom, quick_passwords

V1 = "/api/v1"
HERE = f"{V1}/sites/{SITE}"


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


@pytest.fixture
def api(room: Staffroom) -> FastAPI:
    return front_door(room)


def sign_in(client: TestClient, app: pyotp.TOTP, room: Staffroom, password: str = PASSWORD) -> int:
    body = {"login": "ada", "password": password, "code": room.code(app)}
    status = client.post(f"{V1}/sign-in", json=body).status_code
    room.clock.advance(seconds=30)
    return status


def fail(api: FastAPI, times: int, login: str = "ada", client: TestClient | None = None) -> list[int]:
    body = {"login": login, "password": "not this one", "code": "000000"}
    return [(client or visitor(api)).post(f"{V1}/sign-in", json=body).status_code for _ in range(times)]


def test_a_planted_session_cookie_is_never_adopted(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    client = visitor(api)
    client.cookies.set(SESSION_COOKIE, "planted-by-a-stranger")
    assert sign_in(client, app, room) == 200
    values = [cookie.value for cookie in client.cookies.jar if cookie.name == SESSION_COOKIE]
    mine = next(value for value in values if value != "planted-by-a-stranger")
    assert room.is_live(mine or "") and not room.is_live("planted-by-a-stranger")


def test_a_cookie_from_before_the_second_factor_opens_nothing_after_it(room: Staffroom, api: FastAPI) -> None:
    client = visitor(api)
    body = {"token": room.first_token(), "login": "ada", "name": "A.", "password": PASSWORD}
    client.post(f"{V1}/setup", json=body)
    early = client.cookies[SESSION_COOKIE]
    address = client.post(f"{V1}/account/totp").json()["address"]
    app = pyotp.TOTP(parse_qs(urlparse(address).query)["secret"][0])
    assert client.post(f"{V1}/account/totp/confirm", json={"code": room.code(app)}).is_success
    assert client.cookies[SESSION_COOKIE] != early
    assert not room.is_live(early)


def test_strangers_cannot_keep_a_known_browser_out(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    mine = visitor(api)
    assert sign_in(mine, app, room) == 200
    mine.post(f"{V1}/sign-out")
    for _ in range(4):
        assert 403 in fail(api, 6), "locked for everybody else"
        assert sign_in(visitor(api), app, room) == 403
        assert sign_in(mine, app, room) == 200
        mine.post(f"{V1}/sign-out")


def test_a_known_browser_has_only_so_many_guesses_of_its_own(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    mine = visitor(api)
    assert sign_in(mine, app, room) == 200
    assert fail(api, 6, client=mine) == [401] * 5 + [403]
    assert sign_in(mine, app, room) == 403


def test_what_makes_a_browser_known_is_of_one_account_and_one_password(room: Staffroom, api: FastAPI) -> None:
    boss, app = room.administrator()
    room.colleague(boss, "gus", Role.GUARD)
    mine = visitor(api)
    assert sign_in(mine, app, room) == 200
    known = mine.cookies[DEVICE_COOKIE]
    thief = visitor(api)
    thief.cookies.set(DEVICE_COOKIE, known)
    assert 403 in fail(api, 6, login="gus", client=thief), "of no use at another login"
    forged = visitor(api)
    for value in (known[:-2] + "AA", "x", "!", ""):
        forged.cookies.set(DEVICE_COOKIE, value)
        assert set(fail(api, 2, client=forged)) <= {401, 403}
    assert mine.post(f"{V1}/account/password", json={"old": PASSWORD, "new": "nine birches"}).is_success
    fail(api, 6)
    again = visitor(api)
    again.cookies.set(DEVICE_COOKIE, known)
    assert sign_in(again, app, room, "nine birches") == 403, "void since the password changed"


def test_a_lock_ends_so_that_nobody_is_kept_out_for_good(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    for _ in range(3):
        fail(api, 12)
    room.clock.advance(hours=1)
    assert sign_in(visitor(api), app, room) == 200


class Counting:
    """Counts the hashings, which are what a stranger could measure."""

    def __init__(self, room: Staffroom) -> None:
        self.inner, self.count = room.passwords, 0

    def verify(self, stored: str | None, password: str) -> bool:
        self.count += 1
        return self.inner.verify(stored, password)


def test_every_login_costs_one_hashing_and_gets_one_answer(room: Staffroom, api: FastAPI) -> None:
    boss, _ = room.administrator()
    room.colleague(boss, "gus", Role.GUARD)
    closed = room.colleague(boss, "cyd", Role.GUARD)
    suspended = room.colleague(boss, "eve", Role.GUARD)
    with room.database.unit(boss, EVERY_SITE) as unit:
        staff.create_staff(unit, room.vault, login="inv", name="Invited", role=Role.GUARD)
        staff.close_account(unit, closed.id)
        staff.suspend_account(unit, suspended.id)
    api.state.passwords = counting = Counting(room)
    answers = set()
    for number, login in enumerate(("gus", "cyd", "eve", "inv", "nobody", "no such login", "x")):
        body = {"login": login, "password": PASSWORD, "code": "000000"}
        answers.add(visitor(api).post(f"{V1}/sign-in", json=body).text)
        assert counting.count == number + 1, login
    assert len(answers) == 1


def test_a_code_seen_over_a_shoulder_opens_no_second_door(room: Staffroom, api: FastAPI) -> None:
    account, app = room.administrator()
    room.clock.advance(seconds=60)
    before, now = app.at(room.clock.now.timestamp() - 30), room.code(app)
    assert not isinstance(room.sign_in("ada", code=now), SignInRefusal)
    assert room.sign_in("ada", code=now) is SignInRefusal.WRONG
    assert room.sign_in("ada", code=before) is SignInRefusal.WRONG, "older than the one that was used"
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        assert not factors.confirm_totp(unit, room.vault, account.id, now)


def test_new_recovery_codes_void_the_old_ones(room: Staffroom) -> None:
    account, _ = room.administrator()
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        old = factors.make_recovery_codes(unit, account.id)
        new = factors.make_recovery_codes(unit, account.id)
    assert room.sign_in("ada", code=old[0]) is SignInRefusal.WRONG
    assert not isinstance(room.sign_in("ada", code=new[0].upper()), SignInRefusal)


def made_key(room: Staffroom, actor: Actor) -> tuple[str, str]:
    with room.database.unit(actor, SITE) as unit:
        rights = {SITE: frozenset({Permission.STAFF_MANAGE})}
        until = unit.now.replace(year=unit.now.year + 1)
        return api_keys.make_api_key(unit, room.vault, label="x", rights=rights, expires_at=until)


def test_an_api_key_in_an_address_is_refused_whoever_sends_it(room: Staffroom, api: FastAPI) -> None:
    boss, app = room.administrator()
    _, token = made_key(room, boss)
    owner = visitor(api)
    assert sign_in(owner, app, room) == 200
    program = TestClient(api, base_url=ORIGIN, headers={"Authorization": f"Bearer {token}"})
    assert program.get(f"{HERE}/staff").status_code == 200
    for client in (TestClient(api, base_url=ORIGIN), owner, program):
        for address in (f"{HERE}/staff?api_key={token}", f"{HERE}/staff?x=1&Authorization=Bearer%20{token}"):
            answer = client.get(address)
            assert answer.status_code == 403
            assert "revoke" in answer.json()["detail"] and token not in answer.text
        assert client.get(f"{HERE}/staff/{token}").status_code == 403


def test_a_key_makes_no_keys(room: Staffroom) -> None:
    boss, _ = room.administrator()
    _, token = made_key(room, boss)
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        sent = f"Bearer {token}"
        program = identify_caller(unit, room.vault, cookie=None, authorization=sent, address=None).actor
    with pytest.raises(Denied, match="person"):
        made_key(room, program)


def test_signing_out_everywhere_ends_all_here_and_elsewhere(room: Staffroom, api: FastAPI) -> None:
    _, app = room.administrator()
    one, two = visitor(api), visitor(api)
    assert [sign_in(client, app, room) for client in (one, two)] == [200, 200]
    assert one.delete(f"{V1}/account/sessions").is_success
    assert SESSION_COOKIE not in one.cookies
    assert two.get(f"{V1}/account").status_code == 401
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert sign_in(two, app, room) == 200
    assert two.post("/account/sessions/end", headers=form, content="form_token=guessed").status_code == 403
    assert two.get(f"{V1}/account").status_code == 200


FORMS = sorted(
    route.path
    for routes in PAGES
    for route in routes.router.routes
    if isinstance(route, APIRoute) and "POST" in (route.methods or ())
)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("sent_from", ["no page of ours", "a page of another site", "another browser's page"])
def test_no_form_counts_that_our_own_page_did_not_send(
    room: Staffroom, api: FastAPI, path: str, sent_from: str
) -> None:
    _, app = room.administrator()
    owner = visitor(api)
    assert sign_in(owner, app, room) == 200
    owner.get("/account")
    token = owner.cookies[FORM_COOKIE]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    if sent_from == "a page of another site":
        headers["sec-fetch-site"] = "cross-site"
    elif sent_from == "another browser's page":
        other = visitor(api)
        other.get("/sign-in")
        token = other.cookies[FORM_COOKIE]
    else:
        token = ""
    filled = re.sub(r"\{\w+\}", "thing_x", path)
    answer = owner.post(filled, headers=headers, content=f"form_token={token}")
    assert answer.status_code == 403
    assert owner.get(f"{V1}/account").status_code == 200, "nothing was done"


def test_a_suspended_account_lets_nobody_in_until_it_is_resumed(room: Staffroom, api: FastAPI) -> None:
    boss, _ = room.administrator()
    guard = room.colleague(boss, "gus", Role.ADMINISTRATOR, SITE)
    _, token = made_key(room, guard)
    app = pyotp.TOTP("A" * 32)
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        codes = factors.make_recovery_codes(unit, guard.id)
    session = room.sign_in("gus", code=codes[0])
    assert not isinstance(session, SignInRefusal)

    def program() -> Actor:
        with room.database.reading(NOBODY, EVERY_SITE) as unit:
            sent = f"Bearer {token}"
            return identify_caller(unit, room.vault, cookie=None, authorization=sent, address=None).actor

    console = system_actor("console")
    assert program().rights
    with room.database.unit(console, EVERY_SITE) as unit:
        staff.suspend_account(unit, guard.id)
    assert not room.is_live(session.cookie)
    assert room.sign_in("gus", code=codes[1]) is SignInRefusal.WRONG
    assert not program().rights
    with room.database.unit(console, EVERY_SITE) as unit:
        staff.resume_account(unit, guard.id)
    assert not room.is_live(session.cookie), "a session from before does not come back"
    assert not isinstance(room.sign_in("gus", code=codes[1]), SignInRefusal)
    assert program().rights and app


def test_nobody_suspends_the_last_administrator_nor_alone_one_who_approves(room: Staffroom) -> None:
    boss, _ = room.administrator()
    with pytest.raises(Conflict), room.database.unit(boss, EVERY_SITE) as unit:
        staff.suspend_account(unit, boss.id)
    officer = room.colleague(boss, "dee", Role.DATA_PROTECTION, SITE)
    with pytest.raises(Denied, match="second person"), room.database.unit(boss, EVERY_SITE) as unit:
        staff.suspend_account(unit, officer.id)
    with room.database.unit(system_actor("console"), EVERY_SITE) as unit:
        staff.suspend_account(unit, officer.id)
    with pytest.raises(Conflict), room.database.unit(boss, EVERY_SITE) as unit:
        staff.resume_account(unit, boss.id)


@pytest.mark.parametrize(
    "deed",
    [
        lambda unit, ids, vault: api_keys.revoke_api_key(unit, ids["key"]),
        lambda unit, ids, vault: approvals.approve(unit, ids["approval"]),
        lambda unit, ids, vault: approvals.withdraw(unit, ids["approval"]),
        lambda unit, ids, vault: staff.close_account(unit, ids["guard"]),
        lambda unit, ids, vault: staff.suspend_account(unit, ids["guard"]),
        lambda unit, ids, vault: staff.reset_account(unit, vault, ids["guard"]),
        lambda unit, ids, vault: roles.take_role(unit, ids["guard"], Role.GUARD),
    ],
)
def test_a_manager_of_another_site_reaches_nothing_here_by_its_id(
    room: Staffroom, deed: Callable[[Unit, dict[str, str], Vault], Any]
) -> None:
    boss, _ = room.administrator()
    ids = {"guard": room.colleague(boss, "gus", Role.GUARD, SITE).id, "key": made_key(room, boss)[0]}
    with room.database.unit(boss, SITE) as unit:
        asked = approvals.propose(unit, room.vault, Action.FACE_SEARCH, {"target": "site"}, "a trial")
    manager = room.colleague(boss, "eve", Role.ADMINISTRATOR, "site_other")
    with pytest.raises((Denied, NotFound, Conflict)), room.database.unit(manager, "site_other") as unit:
        deed(unit, ids | {"approval": asked}, room.vault)
    with room.database.reading(NOBODY, SITE) as unit:
        assert not approvals.get_approval(unit, asked).withdrawn
