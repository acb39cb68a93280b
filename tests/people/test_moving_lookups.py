import pytest

from doorward.people import service
from doorward.people.model import PinCheck
from doorward.people.service import lookup_movers
from doorward.people.store.lookups import COLUMNS
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.service import rotate, vault_movers
from tests.people.office import Office

NAME, NUMBER, CARD, PLATE, PIN = "Ada Lovelace", "X1234567", "04A1B2C3", "BOB123", "8305"


def registered(office: Office) -> tuple[str, str, str]:
    person_id = office.person(name=NAME, id_number=NUMBER)
    office.person()
    with office.unit() as unit:
        service.add_card(unit, office.vault, person_id, CARD)
        token = service.issue_qr(unit, office.vault, person_id)
        service.set_pin(unit, office.vault, person_id, PIN)
        return person_id, token, service.add_vehicle(unit, office.vault, PLATE).id


def found(office: Office, token: str) -> list[object]:
    vault = office.vault
    with office.unit() as unit:
        return [
            service.find_by_name(unit, vault, NAME),
            service.find_by_id_number(unit, vault, NUMBER),
            service.find_by_card(unit, vault, CARD),
            service.find_by_qr(unit, vault, token),
            service.find_by_plate(unit, vault, PLATE),
        ]


def test_everybody_is_found_after_every_key_they_are_looked_up_by_was_replaced(office: Office) -> None:
    person_id, token, vehicle_id = registered(office)
    before = found(office, token)
    assert before == [[person_id], [person_id], person_id, person_id, vehicle_id]
    movers = vault_movers(office.vault) | lookup_movers(office.vault)
    moved = {
        purpose: rotate(office.database, office.vault, KeyName(Use.BLIND, purpose), movers).moved
        for purpose in (*COLUMNS, Purpose.BLIND_PIN)
    }
    assert moved == {
        Purpose.BLIND_NAME: 2,
        Purpose.BLIND_ID_NUMBER: 1,
        Purpose.BLIND_CARD: 1,
        Purpose.BLIND_QR: 1,
        Purpose.BLIND_PLATE: 1,
        Purpose.BLIND_PIN: 0,
    }
    assert found(office, token) == before
    for purpose in COLUMNS:
        assert len(office.vault.generations(KeyName(Use.BLIND, purpose))) == 1
    with office.unit() as unit:
        assert service.check_pin(unit, office.vault, person_id, PIN) is PinCheck.RIGHT


@pytest.mark.parametrize("purpose", list(COLUMNS))
def test_everybody_is_found_while_a_key_is_being_replaced(office: Office, purpose: Purpose) -> None:
    _, token, _ = registered(office)
    before = found(office, token)
    with office.vault.ring.change() as ring:
        ring.add(KeyName(Use.BLIND, purpose))
    assert found(office, token) == before
    (mover,) = lookup_movers(office.vault)[KeyName(Use.BLIND, purpose)]
    with office.unit() as unit:
        assert mover(unit, 200) > 0
        assert mover(unit, 200) == 0
    assert found(office, token) == before


def test_a_mover_moves_no_more_than_it_was_asked_to(office: Office) -> None:
    for _ in range(3):
        office.person()
    with office.vault.ring.change() as ring:
        ring.add(KeyName(Use.BLIND, Purpose.BLIND_NAME))
    (mover,) = lookup_movers(office.vault)[KeyName(Use.BLIND, Purpose.BLIND_NAME)]
    with office.unit() as unit:
        assert [mover(unit, 2) for _ in range(3)] == [2, 1, 0]
