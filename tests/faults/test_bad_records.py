"""One record whose bytes fail their proof is left out and told of; everybody else passes as before."""

from pathlib import Path

import pytest
from sqlalchemy import text

from doorward.gates.model import AlarmKind
from doorward.gates.service import list_alarms, tell_unreadable
from doorward.people import service
from doorward.people.service.credentials import unsealed_credentials
from doorward.people.service.recogniser import Recogniser
from doorward.platform.db import Database
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.people.office import ALL, Office, made_up_names, photos
from tests.searching import recogniser_at

# Where a bit turns: table, sealed column, the column of its owner.
OF_A_FACE = [
    ("people_templates", "template", "person_id"),
    ("vault_subject_keys", "wrapped", "subject_id"),
]


@pytest.fixture
def office(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Office:
    folder = tmp_path / "gallery"
    return Office(database, clock, vault, recogniser_at(vault, folder), made_up_names(), folder)


def turn_a_bit(office: Office, place: tuple[str, str, str], owner: str) -> None:
    """As a bad disk or a hostile hand would, below everything that checks."""
    table, column, owned_by = place
    with office.unit() as unit:
        found = unit.rows.scalar(
            text(f"SELECT {column} FROM {table} WHERE {owned_by} = :owner"), {"owner": owner}
        )
        changed = bytes([*found[:-1], found[-1] ^ 1])
        unit.rows.execute(
            text(f"UPDATE {table} SET {column} = :sealed WHERE {owned_by} = :owner"),
            {"sealed": changed, "owner": owner},
        )


def spoil_blocks(office: Office) -> None:
    """As a bad disk would: what the search is made of is not what it was."""
    for path in office.folder.glob("*/*"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")


def fresh(office: Office) -> Recogniser:
    """As after a start of the server."""
    return office.another_process()


@pytest.mark.parametrize("place", OF_A_FACE)
def test_a_bad_template_is_left_out_of_a_mended_search_and_told_of(
    office: Office, place: tuple[str, str, str]
) -> None:
    people = [office.known(seed) for seed in range(5)]
    turn_a_bit(office, place, people[2])
    spoil_blocks(office)
    recogniser = fresh(office)
    assert [office.who(seed, recogniser) for seed in range(5)] == [*people[:2], None, *people[3:]]
    assert people[2] in [subject for _, subject, _ in office.events("subject.unreadable")]
    for _ in range(2):
        with office.unit() as unit:
            assert tell_unreadable(unit, recogniser) == 1
            alarms = [(one.kind, one.subject_id) for one in list_alarms(unit, ALL, waiting=True)]
    assert alarms == [(AlarmKind.RECORD_UNREADABLE, people[2])]


def test_a_bad_template_that_no_search_needs_shuts_nobody_out(office: Office) -> None:
    people = [office.known(seed) for seed in range(3)]
    turn_a_bit(office, OF_A_FACE[0], people[1])
    assert [office.who(seed, fresh(office)) for seed in range(3)] == people


def test_a_face_enrolled_again_is_known_again(office: Office) -> None:
    person_id = office.known(1)
    turn_a_bit(office, OF_A_FACE[0], person_id)
    spoil_blocks(office)
    recogniser = fresh(office)
    assert office.who(1, recogniser) is None
    assert office.enrol(person_id, photos(1)).enrolled
    assert office.who(1, recogniser) == person_id
    with office.unit() as unit:
        assert tell_unreadable(unit, recogniser) == 0


def test_one_bad_plate_leaves_the_other_vehicles_known(office: Office) -> None:
    with office.unit() as unit:
        bad = service.add_vehicle(unit, office.vault, "ABC123").id
        good = service.add_vehicle(unit, office.vault, "XYZ789").id
    turn_a_bit(office, ("people_vehicles", "plate", "id"), bad)
    recogniser = fresh(office)
    with office.unit() as unit:
        assert service.find_vehicle(unit, recogniser, [("XYZ789", 0.95)]).vehicle_id == good
        assert service.find_vehicle(unit, recogniser, [("ABC123", 0.95)]).vehicle_id is None
        assert tell_unreadable(unit, recogniser) == 1


def test_one_bad_card_leaves_the_others_in_the_agents_policy(office: Office) -> None:
    holders = [office.person() for _ in range(3)]
    with office.unit() as unit:
        for number, holder in enumerate(holders):
            service.add_card(unit, office.vault, holder, f"04AABBC{number}")
    turn_a_bit(office, ("people_credentials", "sealed", "person_id"), holders[0])
    for _ in range(2):
        with office.unit() as unit:
            listed = [holder for _, _, holder in unsealed_credentials(unit, office.recogniser)]
    assert sorted(listed) == sorted(holders[1:])
    assert [subject for _, subject, _ in office.events("subject.unreadable")] == [holders[0]]
