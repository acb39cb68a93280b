import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.errors import Conflict, Invalid
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.staff import NewSession, SignInRefusal, Stage
from doorward.people.service import factors, passkeys
from doorward.people.service.passkeys import RelyingParty
from doorward.people.store import staff as store
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.authenticator import Authenticator
from tests.people.staffroom import NOBODY, Staffroom, quick_passwords

ORIGIN = "https://localhost:8443"
PARTY = RelyingParty("localhost", ORIGIN)


@pytest.fixture
def room(database: Database, vault: Vault, clock: SteppingClock) -> Staffroom:
    return Staffroom(database, vault, clock, quick_passwords())


def options_for(room: Staffroom, account_id: str) -> str:
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        account = store.get_account(unit.rows, account_id)
        return passkeys.begin_registration(unit, room.vault, PARTY, account)


def enrol(room: Staffroom, account_id: str, device: Authenticator, options: str | None = None) -> str:
    answer = device.create(options or options_for(room, account_id))
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        account = store.get_account(unit.rows, account_id)
        return passkeys.finish_registration(unit, room.vault, PARTY, account, answer=answer, label="blue key")


def challenge(room: Staffroom) -> str:
    with room.database.reading(NOBODY, EVERY_SITE) as unit:
        return passkeys.begin_passkey_sign_in(unit, room.vault, PARTY)


def finish(room: Staffroom, answer: str) -> NewSession | SignInRefusal:
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        return passkeys.finish_passkey_sign_in(unit, room.vault, PARTY, answer=answer, address="192.0.2.7")


def test_a_passkey_alone_signs_in_and_makes_the_administrator_complete(room: Staffroom) -> None:
    account_id = room.set_up().session.account_id
    device = Authenticator(ORIGIN)
    enrol(room, account_id, device)
    assert room.first_token() is None
    made = finish(room, device.get(challenge(room)))
    assert isinstance(made, NewSession)
    assert (made.session.account_id, made.session.stage) == (account_id, Stage.FULL)


def test_with_a_passkey_the_password_alone_opens_nothing(room: Staffroom) -> None:
    account_id = room.set_up().session.account_id
    enrol(room, account_id, Authenticator(ORIGIN))
    assert room.sign_in("ada") is SignInRefusal.WRONG


def test_an_answer_counts_once_and_in_time(room: Staffroom) -> None:
    device = Authenticator(ORIGIN)
    enrol(room, room.set_up().session.account_id, device)
    answer = device.get(challenge(room))
    assert isinstance(finish(room, answer), NewSession)
    assert finish(room, answer) is SignInRefusal.WRONG
    late = device.get(challenge(room))
    room.clock.advance(minutes=5)
    assert finish(room, late) is SignInRefusal.WRONG


def test_a_challenge_that_we_did_not_make_counts_for_nothing(room: Staffroom) -> None:
    device = Authenticator(ORIGIN)
    account_id = room.set_up().session.account_id
    enrol(room, account_id, device)
    forged = json.dumps(json.loads(challenge(room)) | {"challenge": "A" * 75})
    assert finish(room, device.get(forged)) is SignInRefusal.WRONG
    for_enrolling = json.loads(options_for(room, account_id))["challenge"]
    mixed = json.dumps(json.loads(challenge(room)) | {"challenge": for_enrolling})
    assert finish(room, device.get(mixed)) is SignInRefusal.WRONG


def test_another_sites_page_cannot_pass_an_answer_on(room: Staffroom) -> None:
    device = Authenticator(ORIGIN)
    enrol(room, room.set_up().session.account_id, device)
    assert finish(room, device.get(challenge(room), origin="https://evil.test")) is SignInRefusal.WRONG


def test_a_key_that_does_not_check_its_user_is_refused(room: Staffroom) -> None:
    account_id = room.set_up().session.account_id
    with pytest.raises(Invalid):
        enrol(room, account_id, Authenticator(ORIGIN, verifies=False))
    device = Authenticator(ORIGIN)
    enrol(room, account_id, device)
    device.verifies = False
    assert finish(room, device.get(challenge(room))) is SignInRefusal.WRONG


def test_a_key_whose_count_goes_back_is_refused_as_a_copy(room: Staffroom) -> None:
    device = Authenticator(ORIGIN)
    enrol(room, room.set_up().session.account_id, device)
    device.count = 10
    assert isinstance(finish(room, device.get(challenge(room))), NewSession)
    device.count = 5
    assert finish(room, device.get(challenge(room))) is SignInRefusal.WRONG


def test_another_device_cannot_answer_for_a_known_one(room: Staffroom) -> None:
    device, thief = Authenticator(ORIGIN), Authenticator(ORIGIN)
    enrol(room, room.set_up().session.account_id, device)
    assert finish(room, thief.get(challenge(room))) is SignInRefusal.WRONG
    thief.credential_id = device.credential_id
    assert finish(room, thief.get(challenge(room))) is SignInRefusal.WRONG


def test_an_enrolment_answer_counts_once(room: Staffroom) -> None:
    account_id = room.set_up().session.account_id
    options = options_for(room, account_id)
    device = Authenticator(ORIGIN)
    enrol(room, account_id, device, options)
    with pytest.raises(Invalid):
        enrol(room, account_id, Authenticator(ORIGIN), options)
    with pytest.raises(Conflict):
        enrol(room, account_id, device)


def test_the_only_second_factor_stays(room: Staffroom) -> None:
    account_id = room.set_up().session.account_id
    passkey_id = enrol(room, account_id, Authenticator(ORIGIN))
    with pytest.raises(Conflict), room.database.unit(NOBODY, EVERY_SITE) as unit:
        passkeys.remove_passkey(unit, account_id, passkey_id)
    room.enrol_totp(account_id)
    with room.database.unit(NOBODY, EVERY_SITE) as unit:
        passkeys.remove_passkey(unit, account_id, passkey_id)
        assert factors.has_second_factor(unit, account_id)
    with pytest.raises(Conflict), room.database.unit(NOBODY, EVERY_SITE) as unit:
        factors.remove_totp(unit, account_id)


NAMES = ["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature"]
KEYS = st.sampled_from(NAMES)
JSON = st.recursive(st.none() | st.text(max_size=8), lambda inner: st.dictionaries(KEYS, inner, max_size=5))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(JSON)
def test_whatever_is_sent_as_an_answer_is_refused_without_falling_over(room: Staffroom, sent: object) -> None:
    room.clock.advance(hours=2)
    assert finish(room, json.dumps(sent)) is SignInRefusal.WRONG
