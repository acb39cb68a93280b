from datetime import timedelta

import pytest

from doorward.core.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated
from doorward.core.permissions import EVERY_SITE, Actor, Permission, system_actor
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Role
from doorward.people.model.staff import SignInRefusal
from doorward.people.service import api_keys, approvals, roles, staff
from doorward.people.service.authentication import identify_caller
from doorward.platform.db import Database
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault
from tests.conftest import NOON, SITE, SteppingClock
from tests.people.staffroom import NOBODY, Staffroom, quick_passwords

FACTS: dict[str, object] = {"persons": ["person_a", "person_b"]}
P = Permission


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


@pytest.fixture
def boss(room: Staffroom) -> Actor:
    return room.administrator()[0]


def give(room: Staffroom, actor: Actor, to: str, role: Role, site: str = EVERY_SITE) -> None:
    with room.database.unit(actor, site) as unit:
        roles.give_role(unit, to, role)


def make_key(
    room: Staffroom, actor: Actor, rights: dict[str, frozenset[Permission]], networks: tuple[str, ...] = ()
) -> tuple[str, str]:
    with room.database.unit(actor, SITE) as unit:
        until = unit.now + timedelta(days=30)
        return api_keys.make_api_key(
            unit, room.vault, label="turnstile", rights=rights, expires_at=until, networks=networks
        )


def call(room: Staffroom, token: str, address: str | None = "192.0.2.7") -> Actor:
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        sent = f"Bearer {token}"
        return identify_caller(unit, room.vault, cookie=None, authorization=sent, address=address).actor


def test_roles_of_one_site_open_nothing_at_another(room: Staffroom, boss: Actor) -> None:
    guard = room.colleague(boss, "gus", Role.GUARD, SITE)
    assert guard.may(P.GATES_COMMAND, SITE)
    assert not guard.may(P.GATES_COMMAND, "site_other")
    assert not guard.knows("site_other")


def test_a_sole_administrator_appoints_a_second_and_then_two_are_needed(room: Staffroom, boss: Actor) -> None:
    second, third = (room.colleague(boss, login, Role.GUARD) for login in ("bea", "cyd"))
    give(room, boss, second.id, Role.ADMINISTRATOR)
    with pytest.raises(Denied, match="second person"):
        give(room, boss, third.id, Role.ADMINISTRATOR)


def test_an_administrator_is_not_unseated_by_one_alone_but_may_resign(room: Staffroom, boss: Actor) -> None:
    second = room.colleague(boss, "bea", Role.GUARD)
    give(room, boss, second.id, Role.ADMINISTRATOR)
    second = room.actor(second.id)
    for deed in (
        lambda unit: roles.take_role(unit, second.id, Role.ADMINISTRATOR),
        lambda unit: staff.close_account(unit, second.id),
        lambda unit: staff.reset_account(unit, room.vault, second.id),
    ):
        with pytest.raises(Denied), room.database.unit(boss, EVERY_SITE) as unit:
            deed(unit)
    with room.database.unit(second, EVERY_SITE) as unit:
        roles.take_role(unit, second.id, Role.ADMINISTRATOR)
    assert not room.actor(second.id).may(P.STAFF_MANAGE, SITE)
    with pytest.raises(Conflict), room.database.unit(boss, EVERY_SITE) as unit:
        roles.take_role(unit, boss.id, Role.ADMINISTRATOR)


def test_two_administrators_unseat_a_third(room: Staffroom, boss: Actor) -> None:
    bea, cyd = (room.colleague(boss, login, Role.GUARD) for login in ("bea", "cyd"))
    for colleague in (bea, cyd):
        give(room, system_actor("console"), colleague.id, Role.ADMINISTRATOR)
    facts = {"account": cyd.id, "deed": "close"}
    with room.database.unit(boss, EVERY_SITE) as unit:
        reason = "left the company"
        asked = approvals.propose(unit, room.vault, Action.UNSEAT_APPROVER, facts, reason)
    with room.database.unit(room.actor(bea.id), EVERY_SITE) as unit:
        approvals.approve(unit, asked)
    with room.database.unit(boss, EVERY_SITE) as unit:
        staff.close_account(unit, cyd.id, approval_id=asked)
    assert not room.actor(cyd.id).rights
    with pytest.raises(Conflict), room.database.unit(boss, EVERY_SITE) as unit:
        staff.reset_account(unit, room.vault, cyd.id)


def test_who_agreed_that_a_colleague_rests_did_not_agree_to_anything_else(
    room: Staffroom, boss: Actor
) -> None:
    bea, cyd = (room.colleague(boss, login, Role.ADMINISTRATOR) for login in ("bea", "cyd"))
    facts = {"account": cyd.id, "deed": "suspend"}
    with room.database.unit(boss, EVERY_SITE) as unit:
        asked = approvals.propose(unit, room.vault, Action.UNSEAT_APPROVER, facts, "on leave")
    with room.database.unit(bea, EVERY_SITE) as unit:
        approvals.approve(unit, asked)
    for deed in (
        lambda unit: staff.reset_account(unit, room.vault, cyd.id, approval_id=asked),
        lambda unit: staff.close_account(unit, cyd.id, approval_id=asked),
        lambda unit: roles.take_role(unit, cyd.id, Role.ADMINISTRATOR, approval_id=asked),
    ):
        with pytest.raises(Denied, match="second person"), room.database.unit(boss, EVERY_SITE) as unit:
            deed(unit)
    with room.database.unit(boss, EVERY_SITE) as unit:
        staff.suspend_account(unit, cyd.id, approval_id=asked)
    assert room.sign_in("cyd") is SignInRefusal.WRONG


@pytest.mark.parametrize("account", ["Ada Lovelace, born 1815", "a" * 81, "", "ada\n"])
def test_a_proposal_shows_and_keeps_no_free_text_but_its_sealed_reason(
    room: Staffroom, boss: Actor, account: str
) -> None:
    facts = {"account": account, "deed": "suspend"}
    with pytest.raises(Invalid, match="ids, codes"), room.database.unit(boss, EVERY_SITE) as unit:
        approvals.propose(unit, room.vault, Action.UNSEAT_APPROVER, facts, "on leave")


def test_one_person_can_neither_make_nor_unmake_the_one_who_approves_him(
    room: Staffroom, boss: Actor
) -> None:
    officer = room.colleague(boss, "dee", Role.DATA_PROTECTION)
    puppet = room.colleague(boss, "eve", Role.GUARD)
    for role in (Role.ADMINISTRATOR, Role.DATA_PROTECTION, Role.KEY_KEEPER):
        with pytest.raises(Denied, match="second person"):
            give(room, boss, puppet.id, role)
    with pytest.raises(Denied), room.database.unit(boss, EVERY_SITE) as unit:
        staff.reset_account(unit, room.vault, officer.id)
    with pytest.raises(Denied), room.database.unit(boss, EVERY_SITE) as unit:
        staff.close_account(unit, officer.id)
    facts = {"account": puppet.id, "role": "key-keeper", "site": EVERY_SITE}
    with room.database.unit(boss, EVERY_SITE) as unit:
        asked = approvals.propose(unit, room.vault, Action.APPOINT_APPROVER, facts, "needs the keys")
    with room.database.unit(officer, EVERY_SITE) as unit:
        approvals.approve(unit, asked)
    with pytest.raises(Denied), room.database.unit(boss, EVERY_SITE) as unit:
        roles.give_role(unit, puppet.id, Role.ADMINISTRATOR, approval_id=asked)
    with room.database.unit(boss, EVERY_SITE) as unit:
        roles.give_role(unit, puppet.id, Role.KEY_KEEPER, approval_id=asked)
    assert room.actor(puppet.id).may(P.STAFF_APPROVE, SITE)


def test_a_sole_administrator_invites_anew_whoever_never_came(room: Staffroom, boss: Actor) -> None:
    with room.database.unit(boss, EVERY_SITE) as unit:
        account_id, _ = staff.create_staff(unit, room.vault, login="bea", name="B.", role=Role.GUARD)
        roles.give_role(unit, account_id, Role.ADMINISTRATOR)
    with room.database.unit(boss, EVERY_SITE) as unit:
        assert staff.reset_account(unit, room.vault, account_id)


def test_an_account_without_roles_belongs_to_no_site(room: Staffroom, boss: Actor) -> None:
    guard = room.colleague(boss, "gus", Role.GUARD, SITE)
    local = room.colleague(boss, "bea", Role.ADMINISTRATOR, SITE)
    with room.database.unit(boss, SITE) as unit:
        roles.take_role(unit, guard.id, Role.GUARD)
    with pytest.raises(Denied), room.database.unit(local, SITE) as unit:
        staff.reset_account(unit, room.vault, guard.id)
    with room.database.unit(boss, EVERY_SITE) as unit:
        staff.close_account(unit, guard.id)
    with pytest.raises(Conflict):
        give(room, boss, guard.id, Role.GUARD)


def test_a_manager_of_one_site_cannot_reach_beyond_it(room: Staffroom, boss: Actor) -> None:
    local = room.colleague(boss, "bea", Role.GUARD)
    give(room, system_actor("console"), local.id, Role.ADMINISTRATOR, SITE)
    with room.database.unit(boss, EVERY_SITE) as unit:
        roles.take_role(unit, local.id, Role.GUARD)
    local = room.actor(local.id)
    with pytest.raises(Denied):
        give(room, local, local.id, Role.GUARD, "site_other")
    with pytest.raises(Denied), room.database.unit(local, SITE) as unit:
        staff.close_account(unit, boss.id)
    with pytest.raises(Denied), room.database.unit(local, SITE) as unit:
        staff.reset_account(unit, room.vault, boss.id)


def test_staff_of_a_site_are_listed_there_and_the_look_is_logged(room: Staffroom, boss: Actor) -> None:
    room.colleague(boss, "gus", Role.GUARD, SITE)
    room.colleague(boss, "hal", Role.GUARD, "site_other")
    with room.database.unit(boss, SITE) as unit:
        listed = staff.list_staff(unit, room.vault, PageRequest(None, 50))
    assert sorted(one.login for one in listed) == ["ada", "gus"]
    with room.database.unit(boss, EVERY_SITE) as unit:
        assert len(staff.list_staff(unit, room.vault, PageRequest(None, 2))) == 3


def test_a_login_is_taken_once(room: Staffroom, boss: Actor) -> None:
    with pytest.raises(Conflict), room.database.unit(boss, EVERY_SITE) as unit:
        staff.create_staff(unit, room.vault, login=" Ada", name="Other", role=Role.GUARD)
    with pytest.raises(Invalid), room.database.unit(boss, EVERY_SITE) as unit:
        staff.create_staff(unit, room.vault, login="eve", name="Eve", role=Role.ADMINISTRATOR)


def test_a_key_does_what_it_was_given_where_it_was_given(room: Staffroom, boss: Actor) -> None:
    key_id, token = make_key(room, boss, {SITE: frozenset({P.GATES_READ})})
    actor = call(room, token)
    assert actor.id == key_id
    assert actor.rights == {SITE: frozenset({P.GATES_READ})}


def test_a_key_never_holds_more_than_its_maker_then_or_later(room: Staffroom, boss: Actor) -> None:
    guard = room.colleague(boss, "gus", Role.GUARD, SITE)
    with pytest.raises(Denied):
        make_key(room, guard, {SITE: frozenset({P.STAFF_MANAGE})})
    with pytest.raises(Denied):
        make_key(room, boss, {SITE: frozenset({P.STAFF_APPROVE})})
    _, token = make_key(room, guard, {SITE: frozenset({P.GATES_READ, P.GATES_COMMAND})})
    with room.database.unit(boss, SITE) as unit:
        roles.give_role(unit, guard.id, Role.RECEPTION)
        roles.take_role(unit, guard.id, Role.GUARD)
    assert call(room, token).rights == {SITE: frozenset({P.GATES_READ})}
    with room.database.unit(boss, SITE) as unit:
        staff.close_account(unit, guard.id)
    assert not call(room, token).rights


def test_an_agents_key_outlives_its_maker(room: Staffroom, boss: Actor) -> None:
    maker = room.colleague(boss, "ina", Role.INTEGRATOR, SITE)
    with room.database.unit(maker, SITE) as unit:
        until = unit.now + timedelta(days=30)
        _, token = api_keys.make_agent_key(unit, room.vault, label="north gate", expires_at=until)
    with room.database.unit(boss, SITE) as unit:
        staff.close_account(unit, maker.id)
    assert call(room, token).rights == {SITE: frozenset({P.GATES_SIGHT})}


def test_a_key_ends_by_time_revocation_address_or_a_wrong_secret(room: Staffroom, boss: Actor) -> None:
    rights = {SITE: frozenset({P.GATES_READ})}
    key_id, token = make_key(room, boss, rights, ("192.0.2.0/24",))
    assert call(room, token)
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for sent, address in ((flipped[:-4], "192.0.2.7"), (token, "198.51.100.1"), (token, None)):
        with pytest.raises(Unauthenticated):
            call(room, sent, address)
    _, other = make_key(room, boss, rights)
    room.clock.advance(days=30)
    with pytest.raises(Unauthenticated):
        call(room, other)
    key_id, token = make_key(room, boss, rights)
    with room.database.unit(boss, SITE) as unit:
        api_keys.revoke_api_key(unit, key_id)
    with pytest.raises(Unauthenticated):
        call(room, token)


def test_a_key_is_listed_without_its_secret_and_only_to_who_may(room: Staffroom, boss: Actor) -> None:
    key_id, token = make_key(room, boss, {SITE: frozenset({P.GATES_READ})})
    with room.database.unit(boss, SITE) as unit:
        (shown,) = api_keys.list_api_keys(unit, room.vault, PageRequest(None, 50))
    assert (shown.key.id, shown.label) == (key_id, "turnstile")
    assert token.split("_", 2)[2] not in repr(shown)
    guard = room.colleague(boss, "gus", Role.GUARD, SITE)
    with pytest.raises(NotFound), room.database.unit(guard, SITE) as unit:
        api_keys.revoke_api_key(unit, key_id)


@pytest.mark.parametrize("days", [0, -1, 801])
def test_a_key_must_end(room: Staffroom, boss: Actor, days: int) -> None:
    with pytest.raises(Invalid), room.database.unit(boss, SITE) as unit:
        api_keys.make_agent_key(unit, room.vault, label="x", expires_at=NOON + timedelta(days=days))


def test_two_people_do_what_one_may_not(room: Staffroom, boss: Actor) -> None:
    officer = room.colleague(boss, "dee", Role.DATA_PROTECTION, SITE)
    with room.database.unit(boss, SITE) as unit:
        asked = approvals.propose(unit, room.vault, Action.ERASE_MANY, FACTS, "site closes")
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked, Action.ERASE_MANY, FACTS)
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.approve(unit, asked)
    with room.database.unit(officer, SITE) as unit:
        seen = approvals.get_approval(unit, asked)
        assert approvals.reason_of(unit, room.vault, seen) == "site closes"
        approvals.approve(unit, asked)
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked, Action.ERASE_MANY, {"persons": ["person_a"]})
    with room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked, Action.ERASE_MANY, FACTS)
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked, Action.ERASE_MANY, FACTS)


def test_a_withdrawn_or_late_proposal_serves_nobody(room: Staffroom, boss: Actor) -> None:
    officer = room.colleague(boss, "dee", Role.DATA_PROTECTION, SITE)
    asked = []
    for _ in range(2):
        with room.database.unit(boss, SITE) as unit:
            asked.append(approvals.propose(unit, room.vault, Action.ERASE_MANY, FACTS, "site closes"))
        with room.database.unit(officer, SITE) as unit:
            approvals.approve(unit, asked[-1])
    with room.database.unit(officer, SITE) as unit:
        approvals.withdraw(unit, asked[0])
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked[0], Action.ERASE_MANY, FACTS)
    room.clock.advance(hours=24)
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.require_approval(unit, asked[1], Action.ERASE_MANY, FACTS)


def test_a_person_cannot_approve_what_his_own_key_proposed(room: Staffroom, boss: Actor) -> None:
    _, token = make_key(room, boss, {SITE: frozenset({P.PEOPLE_ERASE})})
    with room.database.unit(call(room, token), SITE) as unit:
        asked = approvals.propose(unit, room.vault, Action.ERASE_MANY, FACTS, "clean-up")
    with pytest.raises(Denied), room.database.unit(boss, SITE) as unit:
        approvals.approve(unit, asked)


def test_who_lacks_the_right_proposes_nothing(room: Staffroom, boss: Actor) -> None:
    guard = room.colleague(boss, "gus", Role.GUARD, SITE)
    with pytest.raises(Denied), room.database.unit(guard, SITE) as unit:
        approvals.propose(unit, room.vault, Action.ERASE_MANY, FACTS, "because")
    with pytest.raises(NotFound), room.database.unit(guard, "site_other") as unit:
        approvals.propose(unit, room.vault, Action.ERASE_MANY, FACTS, "because")
