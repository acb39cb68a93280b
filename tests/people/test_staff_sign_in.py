import pytest
from sqlalchemy import select

from doorward.audit.service import list_entries
from doorward.core.errors import Conflict, Denied, Unauthenticated
from doorward.core.permissions import EVERY_SITE, Actor, Permission
from doorward.people.model.roles import Role
from doorward.people.model.staff import NewSession, SignInRefusal, Stage
from doorward.people.service import factors, sessions, sign_in, staff
from doorward.people.service.authentication import identify_caller, touch
from doorward.people.store import staff as store
from doorward.platform.db import Database, Unit
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.staffroom import NOBODY, PASSWORD, Staffroom, quick_passwords


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


def authenticated(unit: Unit, room: Staffroom, cookie: str) -> Actor:
    caller = identify_caller(unit, room.vault, cookie=cookie, authorization=None, address=None)
    touch(unit, caller)
    return caller.actor


def test_the_first_link_works_once_and_a_new_one_voids_the_old(room: Staffroom) -> None:
    old, fresh = room.first_token(), room.first_token()
    with pytest.raises(Denied):
        room.set_up(token=old)
    session = room.set_up(token=fresh)
    assert session.session.stage is Stage.ENROLLING
    with pytest.raises(Denied):
        room.set_up("eve", token=fresh)


def test_the_first_link_ends_after_an_hour(room: Staffroom) -> None:
    token = room.first_token()
    room.clock.advance(hours=1)
    with pytest.raises(Denied):
        room.set_up(token=token)


def test_links_are_made_until_there_is_an_administrator_with_a_second_factor(room: Staffroom) -> None:
    abandoned = room.set_up("ada").session.account_id
    token = room.first_token()
    assert token is not None
    kept = room.set_up("ada", token=token).session.account_id
    room.enrol_totp(kept)
    assert room.first_token() is None
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        assert store.find_account(unit.rows, abandoned) is None


def test_no_right_works_before_a_second_factor(room: Staffroom) -> None:
    session = room.set_up()
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        actor = authenticated(unit, room, session.cookie)
    assert actor.id == session.session.account_id
    assert not actor.rights


def test_password_and_code_sign_in_with_every_right_of_the_role(room: Staffroom) -> None:
    admin, app = room.administrator()
    made = room.sign_in("ADA ", code=room.code(app))
    assert isinstance(made, NewSession)
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        caller = identify_caller(unit, room.vault, cookie=made.cookie, authorization=None, address=None)
    assert caller.actor == admin
    assert caller.actor.may(Permission.STAFF_MANAGE, "site_anywhere")


def test_wrong_login_password_or_code_get_one_answer(room: Staffroom) -> None:
    _, app = room.administrator()
    code = room.code(app)
    assert room.sign_in("nobody", code=code) is SignInRefusal.WRONG
    assert room.sign_in("not a login at all", code=code) is SignInRefusal.WRONG
    assert room.sign_in("ada", "not the password at all", code) is SignInRefusal.WRONG
    assert room.sign_in("ada", code="000000") is SignInRefusal.WRONG
    assert room.sign_in("ada", code=None) is SignInRefusal.WRONG


def test_a_code_counts_once(room: Staffroom) -> None:
    _, app = room.administrator()
    code = room.code(app)
    assert isinstance(room.sign_in("ada", code=code), NewSession)
    assert room.sign_in("ada", code=code) is SignInRefusal.WRONG


def test_a_recovery_code_opens_once(room: Staffroom) -> None:
    admin, _ = room.administrator()
    with room.database.unit(admin, EVERY_SITE) as unit:
        codes = factors.make_recovery_codes(unit, admin.id)
    assert isinstance(room.sign_in("ada", code=codes[3].upper()), NewSession)
    assert room.sign_in("ada", code=codes[3]) is SignInRefusal.WRONG
    assert isinstance(room.sign_in("ada", code=codes[4].replace("-", " ")), NewSession)


@pytest.mark.parametrize("login", ["ada", "nobody-by-that-name"])
def test_failures_lock_known_and_unknown_logins_alike(room: Staffroom, login: str) -> None:
    _, app = room.administrator()
    answers = [room.sign_in(login, "wrong wrong wrong", address=f"192.0.2.{n}") for n in range(6)]
    assert answers == [SignInRefusal.WRONG] * 5 + [SignInRefusal.LOCKED]
    assert room.sign_in(login, code=room.code(app), address="192.0.2.99") is SignInRefusal.LOCKED
    room.clock.advance(minutes=1)
    answer = room.sign_in(login, code=room.code(app), address="192.0.2.99")
    assert isinstance(answer, NewSession) == (login == "ada")


def test_a_login_guessed_at_for_half_a_day_is_not_forgotten_while_it_is_locked(room: Staffroom) -> None:
    heard = [room.sign_in("ada", "wrong wrong wrong") for _ in range(4)]
    for _ in range(14 * 12):
        heard.append(room.sign_in("ada", "wrong wrong wrong"))
        room.clock.advance(minutes=5)
        with room.unit() as unit:
            sessions.forget_old_sign_ins(unit)
    assert heard[-24:].count(SignInRefusal.WRONG) == 2  # of the last two hours: one guess an hour


def test_an_address_that_tries_many_logins_is_locked(room: Staffroom) -> None:
    _, app = room.administrator()
    for n in range(30):
        assert room.sign_in(f"login{n}", "guess") is SignInRefusal.WRONG
    assert room.sign_in("ada", code=room.code(app)) is SignInRefusal.LOCKED
    assert isinstance(room.sign_in("ada", code=room.code(app), address="192.0.2.8"), NewSession)


def test_guesses_sent_at_once_gain_nothing_after_the_lock(room: Staffroom) -> None:
    _, app = room.administrator()
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        early = sign_in.begin_sign_in(unit, room.vault, login="ada", address="192.0.2.50")
    for _ in range(5):
        room.sign_in("ada", "wrong wrong wrong")
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        answer = sign_in.finish_sign_in(unit, room.vault, early, password_right=True, code=room.code(app))
    assert answer is SignInRefusal.LOCKED


def test_a_password_changed_meanwhile_voids_an_attempt(room: Staffroom) -> None:
    admin, app = room.administrator()
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        early = sign_in.begin_sign_in(unit, room.vault, login="ada", address=None)
    with room.database.unit(admin, EVERY_SITE) as unit:
        staff.set_password(unit, admin.id, room.passwords.hash("another kettle of nine birches"))
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        answer = sign_in.finish_sign_in(unit, room.vault, early, password_right=True, code=room.code(app))
    assert answer is SignInRefusal.WRONG


def test_changing_the_password_ends_every_other_session(room: Staffroom) -> None:
    _, app = room.administrator()
    one = room.sign_in("ada", code=room.code(app))
    room.clock.advance(seconds=30)
    two = room.sign_in("ada", code=room.code(app))
    assert isinstance(one, NewSession)
    assert isinstance(two, NewSession)
    made = room.porter.change_password(two.cookie, old=PASSWORD, new="nine birches")
    assert made is not None
    assert [room.is_live(each.cookie) for each in (one, two, made)] == [False, False, True]


def test_a_wrong_old_password_ends_the_session_that_tried(room: Staffroom) -> None:
    _, app = room.administrator()
    made = room.sign_in("ada", code=room.code(app))
    assert isinstance(made, NewSession)
    assert room.porter.change_password(made.cookie, old="a guess", new="nine birches") is None
    assert not room.is_live(made.cookie)


def test_a_session_ends_idle_old_or_when_told(room: Staffroom) -> None:
    _, app = room.administrator()
    idle = room.sign_in("ada", code=room.code(app))
    assert isinstance(idle, NewSession)
    room.clock.advance(minutes=29)
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        authenticated(unit, room, idle.cookie)
    room.clock.advance(minutes=29)
    assert room.is_live(idle.cookie)
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        sessions.sign_out(unit, idle.cookie)
    with (
        pytest.raises(Unauthenticated),
        room.database.unit(NOBODY, EVERY_SITE) as unit,
    ):
        authenticated(unit, room, idle.cookie)


def test_the_last_administrator_stays(room: Staffroom) -> None:
    admin, _ = room.administrator()
    with pytest.raises(Conflict), room.database.unit(admin, EVERY_SITE) as unit:
        staff.close_account(unit, admin.id)
    with pytest.raises(Conflict), room.database.unit(admin, EVERY_SITE) as unit:
        staff.reset_account(unit, room.vault, admin.id)
    with pytest.raises(Conflict), room.database.unit(admin, EVERY_SITE) as unit:
        factors.remove_totp(unit, admin.id)


def test_a_closed_account_signs_in_no_more(room: Staffroom) -> None:
    admin, _ = room.administrator()
    guard = room.colleague(admin, "gus", Role.GUARD)
    made = room.sign_in("gus", code="wrong")
    assert made is SignInRefusal.WRONG
    with room.database.unit(admin, EVERY_SITE) as unit:
        staff.close_account(unit, guard.id)
    assert room.sign_in("gus") is SignInRefusal.WRONG
    assert not room.actor(guard.id).rights


def test_an_invitation_works_once(room: Staffroom) -> None:
    admin, _ = room.administrator()
    with room.database.unit(admin, EVERY_SITE) as unit:
        _, token = staff.create_staff(unit, room.vault, login="gus", name="G.", role=Role.GUARD)
    room.porter.accept_invitation(token=token, password=PASSWORD)
    with pytest.raises(Denied):
        room.porter.accept_invitation(token=token, password=PASSWORD)


def test_the_log_tells_of_every_try_and_names_no_login(room: Staffroom) -> None:
    _, app = room.administrator("ada.lovelace@example.org")
    room.sign_in("ada.lovelace@example.org", "guess")
    room.sign_in("ada.lovelace@example.org", code=room.code(app))
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        entries = list_entries(unit, PageRequest(None, 100)).items
        rows = unit.rows.execute(select(store.StaffRow)).scalars().all()
    events = [entry.event for entry in entries]
    assert {"staff.sign_in_failed", "staff.signed_in", "staff.first_administrator"} <= set(events)
    assert "lovelace" not in repr(entries)
    assert b"lovelace" not in b"".join(row.sealed_login + row.login_blind for row in rows)


def test_old_sessions_links_and_counts_are_erased(room: Staffroom) -> None:
    _, app = room.administrator()
    made = room.sign_in("ada", code=room.code(app))
    assert isinstance(made, NewSession)
    room.clock.advance(hours=13)
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        sessions.forget_old_sign_ins(unit)
        assert sessions.list_own_sessions(unit, made.session.account_id) == []
