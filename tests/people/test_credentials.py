from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.people import service
from doorward.people.model import PinCheck
from doorward.people.rules import LOCKED_FOR, locked_for, require_strong_pin
from tests.people.office import Office

PIN, OTHER, WRONG = "8305", "7264", "9183"


def try_pin(office: Office, person_id: str, pin: str) -> PinCheck:
    with office.unit() as unit:
        return service.check_pin(unit, office.vault, person_id, pin)


def with_pin(office: Office) -> str:
    person_id = office.person()
    with office.unit() as unit:
        service.set_pin(unit, office.vault, person_id, PIN, duress=OTHER)
    return person_id


@pytest.mark.parametrize(
    "pin",
    [
        "0000",
        "1234",
        "4321",
        "1985",
        "2011",
        "2580",
        "1212",
        "123123",
        "1110",
        "12",
        "12a4",
        "١٢٣٤",
        "1" * 13,
    ],
)
def test_a_pin_that_is_guessed_first_is_refused(pin: str) -> None:
    with pytest.raises(Invalid):
        require_strong_pin(pin)


def test_a_pin_is_right_wrong_or_told_under_duress(office: Office) -> None:
    person_id = with_pin(office)
    assert try_pin(office, person_id, PIN) is PinCheck.RIGHT
    assert try_pin(office, person_id, OTHER) is PinCheck.DURESS
    assert try_pin(office, person_id, WRONG) is PinCheck.WRONG
    assert try_pin(office, office.person(), PIN) is PinCheck.WRONG


def test_five_wrong_pins_lock_even_the_right_one_and_longer_each_time(office: Office) -> None:
    person_id = with_pin(office)
    answers = [try_pin(office, person_id, WRONG) for _ in range(5)]
    assert answers == [PinCheck.WRONG] * 4 + [PinCheck.LOCKED]
    assert try_pin(office, person_id, PIN) is PinCheck.LOCKED
    office.clock.advance(seconds=LOCKED_FOR.total_seconds())
    assert [try_pin(office, person_id, WRONG) for _ in range(5)][-1] is PinCheck.LOCKED
    office.clock.advance(seconds=LOCKED_FOR.total_seconds())
    assert try_pin(office, person_id, PIN) is PinCheck.LOCKED
    office.clock.advance(seconds=LOCKED_FOR.total_seconds())
    assert try_pin(office, person_id, PIN) is PinCheck.RIGHT
    assert [facts["minutes"] for _, _, facts in office.events("pin.locked")] == [30, 15]


@given(st.integers(0, 10_000))
def test_a_lock_never_gets_shorter_nor_longer_than_a_day(wrong: int) -> None:
    lock, later = locked_for(wrong), locked_for(wrong + 5)
    assert lock is None or (later is not None and lock <= later <= timedelta(days=1))


def test_a_new_pin_ends_the_old_one_and_a_removed_one_opens_nothing(office: Office) -> None:
    person_id = with_pin(office)
    with office.unit() as unit:
        service.set_pin(unit, office.vault, person_id, WRONG)
    assert [try_pin(office, person_id, pin) for pin in (PIN, OTHER, WRONG)] == [
        PinCheck.WRONG,
        PinCheck.WRONG,
        PinCheck.RIGHT,
    ]
    with office.unit() as unit:
        service.remove_pin(unit, person_id)
    assert try_pin(office, person_id, WRONG) is PinCheck.WRONG


def test_a_pin_for_duress_must_differ(office: Office) -> None:
    person_id = office.person()
    with office.unit() as unit, pytest.raises(Invalid):
        service.set_pin(unit, office.vault, person_id, PIN, duress=PIN)


def test_a_card_is_found_in_any_spelling_held_once_and_gone_when_removed(office: Office) -> None:
    first, second = office.person(), office.person()
    with office.unit() as unit:
        card_id = service.add_card(unit, office.vault, first, "04:a1:b2:c3")
        assert service.find_by_card(unit, office.vault, "04A1B2C3") == first
        assert service.find_by_card(unit, office.vault, "!") is None
    with office.unit() as unit, pytest.raises(Conflict):
        service.add_card(unit, office.vault, second, "04A1B2C3")
    with office.unit() as unit, pytest.raises(NotFound):
        service.remove_credential(unit, second, card_id)
    with office.unit() as unit:
        service.remove_credential(unit, first, card_id)
        assert service.find_by_card(unit, office.vault, "04A1B2C3") is None


def test_a_fresh_code_ends_the_former_one(office: Office) -> None:
    person_id = office.person()
    with office.unit() as unit:
        old = service.issue_qr(unit, office.vault, person_id)
        new = service.issue_qr(unit, office.vault, person_id)
        assert service.find_by_qr(unit, office.vault, old) is None
        assert service.find_by_qr(unit, office.vault, new) == person_id
    assert len(old) == 22


def test_credentials_open_nothing_at_another_site(office: Office) -> None:
    person_id = office.person()
    with office.unit() as unit:
        service.add_card(unit, office.vault, person_id, "04A1B2C3")
        token = service.issue_qr(unit, office.vault, person_id)
        service.set_pin(unit, office.vault, person_id, PIN)
    with office.unit("site_other") as unit:
        assert service.find_by_card(unit, office.vault, "04A1B2C3") is None
        assert service.find_by_qr(unit, office.vault, token) is None
        assert service.check_pin(unit, office.vault, person_id, PIN) is PinCheck.WRONG


def test_no_number_pin_or_code_enters_the_log(office: Office) -> None:
    person_id = with_pin(office)
    with office.unit() as unit:
        service.add_card(unit, office.vault, person_id, "04A1B2C3")
        token = service.issue_qr(unit, office.vault, person_id)
    told = str(office.events())
    assert not [secret for secret in (PIN, OTHER, "04A1B2C3", token) if secret in told]
