from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor, Permission
from doorward.people.model.approvals import Action, Approval
from doorward.people.model.roles import Assignment, Role
from doorward.people.model.staff import Account, Session, Stage, Throttle
from doorward.people.rules import api_keys, approvals, roles
from doorward.people.rules.passwords import is_common, require_good_password
from doorward.people.rules.sessions import ABSOLUTE, IDLE, is_cross_site, is_live
from doorward.people.rules.sign_in import (
    LOGIN_LIMIT,
    acceptable_steps,
    after_failure,
    is_locked,
    one_form_of_login,
    totp_step,
)
from tests.conftest import NOON

BOSS = Actor("staff_boss", {EVERY_SITE: EVERY_RIGHT})
SITES = st.sampled_from(["site_a", "site_b"])
LOCAL_BOSS = Actor("staff_local", {"site_a": EVERY_RIGHT})


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "passwordpassword",
        "P4ssw0rd12345678",
        "qwertyuiopasdfgh",
        "aaaaaaaaaaaaaaaaaaa",
        "123456789012345",
        "my-Lovelace-and-more",
        "Doorward2026!!!!!",
        "zyxwvutsrqponmlkj",
        "correct horse battery staple",
        "violet kettle " * 20,
    ],
)
def test_a_bad_password_is_refused_with_a_reason_that_does_not_repeat_it(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        require_good_password(password, login="lovelace@example.org", has_second_factor=False)
    assert password not in str(refusal.value)


@pytest.mark.parametrize(
    ("password", "second", "good"),
    [("violet kettle under", False, True), ("tr7&kPq9", False, False), ("tr7&kPq9", True, True)],
)
def test_a_password_alone_must_be_longer_than_one_with_a_second_factor(
    password: str, second: bool, good: bool
) -> None:
    if good:
        assert require_good_password(password, login="ada", has_second_factor=second) == password
    else:
        with pytest.raises(Invalid):
            require_good_password(password, login="ada", has_second_factor=second)


def test_judging_a_password_stays_quick_whatever_it_is() -> None:
    assert not is_common("abcabcaletmein" * 9 + "qx")


@given(st.integers(0, 40))
def test_locks_only_ever_grow_while_failures_go_on(failures: int) -> None:
    counted: Throttle | None = None
    until = NOON
    for _ in range(failures):
        counted = after_failure(counted, NOON, LOGIN_LIMIT)
        assert (counted.locked_until or until) >= until
        until = counted.locked_until or until
    assert is_locked(counted, NOON) == (failures >= LOGIN_LIMIT.failures)
    assert until - NOON <= LOGIN_LIMIT.longest_lock


def test_a_lock_ends_and_is_remembered_a_while() -> None:
    counted: Throttle | None = None
    for _ in range(5):
        counted = after_failure(counted, NOON, LOGIN_LIMIT)
    later = NOON + timedelta(minutes=1)
    assert not is_locked(counted, later)
    again = after_failure(counted, later, LOGIN_LIMIT)
    assert again.locked_until == later + timedelta(minutes=2)
    much_later = NOON + timedelta(hours=2)
    assert after_failure(again, much_later, LOGIN_LIMIT).failures == 1


def test_a_step_that_was_used_never_counts_again() -> None:
    here = totp_step(NOON)
    assert acceptable_steps(NOON, 0) == [here - 1, here, here + 1]
    assert acceptable_steps(NOON, here) == [here + 1]


@pytest.mark.parametrize("login", ["", "ab", "a b c", "x" * 101, "tab\tbed"])
def test_a_login_has_one_form_or_is_none(login: str) -> None:
    assert one_form_of_login("  ＡDA@Example.org ") == "ada@example.org"
    with pytest.raises(Invalid):
        one_form_of_login(login)


def _account(generation: int = 1, *, closed: bool = False) -> Account:
    return Account("staff_a", b"", b"", None, generation, closed, NOON)


@pytest.mark.parametrize(
    ("since_made", "since_seen", "account", "ended", "live"),
    [
        (timedelta(0), timedelta(0), _account(), False, True),
        (ABSOLUTE - timedelta(seconds=1), timedelta(0), _account(), False, True),
        (ABSOLUTE, timedelta(0), _account(), False, False),
        (IDLE, IDLE, _account(), False, False),
        (timedelta(0), timedelta(0), _account(2), False, False),
        (timedelta(0), timedelta(0), _account(closed=True), False, False),
        (timedelta(0), timedelta(0), _account(), True, False),
        (-timedelta(hours=1), timedelta(0), _account(), False, False),
    ],
)
def test_a_session_counts_only_if_every_condition_holds(
    since_made: timedelta, since_seen: timedelta, account: Account, ended: bool, live: bool
) -> None:
    session = Session("s", "staff_a", 1, Stage.FULL, NOON - since_made, NOON - since_seen, ended)
    assert is_live(session, account, NOON) is live


@pytest.mark.parametrize(
    ("method", "origin", "fetch_site", "own_header", "crosses"),
    [
        ("GET", "https://evil.test", "cross-site", False, False),
        ("POST", "https://door.test", "same-origin", False, False),
        ("POST", "https://evil.test", None, True, True),
        ("POST", "https://door.test", "same-site", True, True),
        ("POST", None, "none", True, True),
        ("POST", None, None, False, True),
        ("POST", None, None, True, False),
        ("DELETE", "null", None, True, True),
        ("POST", "https://door.test", None, False, False),
    ],
)
def test_another_sites_page_cannot_write_with_our_cookie(
    method: str, origin: str | None, fetch_site: str | None, own_header: bool, crosses: bool
) -> None:
    told = is_cross_site(
        method, origin=origin, fetch_site=fetch_site, host="door.test", own_header=own_header
    )
    assert told is crosses


def test_every_role_is_in_the_table_and_only_the_administrator_holds_all() -> None:
    assert set(roles.ROLES) == set(Role)
    assert [role for role, held in roles.ROLES.items() if held == EVERY_RIGHT] == [Role.ADMINISTRATOR]


@given(
    st.sampled_from(Role), st.frozensets(st.sampled_from(Permission)), st.sampled_from(["site_a", "site_b"])
)
def test_nobody_gives_a_right_that_he_does_not_hold_there(
    role: Role, held: frozenset[Permission], site_id: str
) -> None:
    giver = Actor("staff_x", {"site_a": held})
    if roles.may_give(giver, role, site_id):
        assert site_id == "site_a"
        assert roles.ROLES[role] | {Permission.STAFF_MANAGE} <= held


def test_nobody_manages_an_account_mightier_than_his_own() -> None:
    house_wide = [Assignment("staff_x", EVERY_SITE, Role.GUARD)]
    local = [Assignment("staff_x", "site_a", Role.ADMINISTRATOR)]
    assert roles.may_manage(BOSS, house_wide)
    assert roles.may_manage(LOCAL_BOSS, local)
    assert not roles.may_manage(LOCAL_BOSS, house_wide)
    assert not roles.may_manage(LOCAL_BOSS, [Assignment("staff_x", "site_b", Role.GUARD)])


@pytest.mark.parametrize(
    ("networks", "address", "comes"),
    [
        ((), None, True),
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("10.0.0.0/8",), "::ffff:10.1.2.3", True),
        (("10.0.0.0/8",), "192.0.2.1", False),
        (("10.0.0.0/8",), None, False),
        (("10.0.0.0/8",), "testclient", False),
        (("2001:db8::/32",), "2001:db8::1", True),
    ],
)
def test_a_key_with_a_list_of_networks_works_only_from_there(
    networks: tuple[str, ...], address: str | None, comes: bool
) -> None:
    assert api_keys.may_come_from(networks, address) is comes


@pytest.mark.parametrize("token", ["", "dw_", "dw__x", "dw_abc", "ey_abc_def", "dw_a-b_c"])
def test_what_is_not_a_key_is_not_taken_apart(token: str) -> None:
    assert api_keys.parse_token(token) is None


def _approval(**changes: object) -> Approval:
    facts: dict[str, object] = {
        "id": "approval_1", "site_id": "site_a", "action": Action.ERASE_MANY, "facts": {}, "digest": "d",
        "sealed_reason": b"", "proposed_by": "staff_one", "proposer_account": "staff_one",
        "expires_at": NOON + timedelta(hours=1), "approved_by": None, "used": False, "withdrawn": False,
    }  # fmt: skip
    return Approval(**(facts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("approval", "actor_id", "may"),
    [
        (_approval(), "staff_two", True),
        (_approval(), "staff_one", False),
        (_approval(proposed_by="key_1", proposer_account="staff_two"), "staff_two", False),
        (_approval(), "key_two", False),
        (_approval(), "system:console", False),
        (_approval(approved_by="staff_three"), "staff_two", False),
        (_approval(withdrawn=True), "staff_two", False),
        (_approval(expires_at=NOON), "staff_two", False),
        (_approval(site_id="site_b"), "staff_two", False),
    ],
)
def test_only_another_person_approves_and_in_time(approval: Approval, actor_id: str, may: bool) -> None:
    actor = Actor(actor_id, {"site_a": frozenset({Permission.STAFF_APPROVE})})
    assert approvals.may_approve(approval, actor, NOON) is may


@pytest.mark.parametrize(
    ("approval", "may"),
    [
        (_approval(approved_by="staff_two"), True),
        (None, False),
        (_approval(), False),
        (_approval(approved_by="staff_two", used=True), False),
        (_approval(approved_by="staff_two", withdrawn=True), False),
        (_approval(approved_by="staff_two", digest="other"), False),
        (_approval(approved_by="staff_two", action=Action.EXPORT_MANY), False),
        (_approval(approved_by="staff_two", proposed_by="staff_three"), False),
        (_approval(approved_by="staff_two", expires_at=NOON), False),
    ],
)
def test_an_approval_serves_one_deed_of_its_proposer_once(approval: Approval | None, may: bool) -> None:
    assert approvals.may_use(approval, "staff_one", Action.ERASE_MANY, "d", NOON) is may
