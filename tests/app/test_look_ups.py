"""Keys of look-ups that grew old are replaced in the night, and look-ups of restored copies are mended."""

import itertools
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from doorward.app.cli import root
from doorward.app.house import House, create_house, open_house
from doorward.app.keepers import keepers_of
from doorward.app.schedule import Worker
from doorward.app.wiring import build_handlers, build_schedule
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_card, add_person, find_by_card, find_by_name
from doorward.vault.rules import GUESSABLE
from doorward.vault.service import ratchet, rotate

from ..conftest import NOON, SteppingClock

NIGHT = NOON.replace(hour=2)
NAME, CARD = "Person Number 1", "C4RD0001"


@pytest.fixture
def house(tmp_path: Path, clock: SteppingClock) -> House:
    made = create_house(tmp_path / "site", clock)
    with made.unit() as unit:
        person = add_person(unit, made.vault, NewPerson(name=NAME, basis=Basis.CONTRACT, id_number="ID0001"))
        add_card(unit, made.vault, person.id, CARD)
    return made


def hours_pass(house: House) -> Callable[[int], None]:
    """Every duty comes round at each turn."""
    worker = Worker(
        house.database,
        house.site_id,
        build_handlers(house),
        build_schedule(house),
        monotonic=itertools.count(0.0, 4000.0).__next__,
    )

    def turn(times: int) -> None:
        for _ in range(times):
            worker.turn()

    return turn


def is_found(house: House) -> bool:
    with house.unit() as unit:
        return (
            bool(find_by_name(unit, house.vault, NAME)) and find_by_card(unit, house.vault, CARD) is not None
        )


def generations(house: House) -> set[int]:
    found = [house.vault.generations(name) for name in GUESSABLE]
    assert all(len(each) == 1 for each in found)
    return {number for [number] in found}


def test_old_keys_of_look_ups_are_replaced_in_the_night_and_not_by_day(
    house: House, clock: SteppingClock
) -> None:
    turn = hours_pass(house)
    clock.now = NIGHT + timedelta(days=89)
    turn(3)
    assert generations(house) == {1}, "not old enough"
    clock.now = NOON + timedelta(days=91)
    turn(3)
    assert generations(house) == {1}, "by day people come to the gates"
    clock.now = NIGHT + timedelta(days=92)
    before = house.vault.ring.read()
    turn(2 * len(GUESSABLE))
    assert generations(house) == {2}
    assert is_found(house)
    turn(3)
    assert generations(house) == {2}
    after = house.vault.ring.read()
    changed = {name for name in after.keys if after.keys[name] != before.keys[name]}
    assert changed == set(GUESSABLE)
    house.close()


def test_it_is_left_to_staff_where_the_settings_say_so(
    house: House, clock: SteppingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.close()
    monkeypatch.setenv("DOORWARD_KEYS__LOOKUP_DAYS", "0")
    again = open_house(house.folder, clock)
    clock.now = NIGHT + timedelta(days=400)
    hours_pass(again)(5)
    assert generations(again) == {1}
    again.close()


@pytest.fixture
def restored(house: House, clock: SteppingClock, tmp_path: Path) -> Path:
    """A copy of the data from before every key of look-ups, and the one of people, was replaced."""
    folder = house.folder
    house.close()
    shutil.copytree(folder / "data", tmp_path / "copy")
    now = open_house(folder, clock)
    for name in GUESSABLE:
        rotate(now.database, now.vault, name, keepers_of(now.vault).movers)
    assert is_found(now)
    ratchet(now.database, now.vault)
    now.close()
    shutil.rmtree(folder / "data")
    shutil.copytree(tmp_path / "copy", folder / "data")
    return folder


def test_a_restored_copy_is_searched_again_once_its_key_set_is_adopted(restored: Path) -> None:
    answer = CliRunner().invoke(
        root, ["--folder", str(restored), "keys", "adopt", str(restored / "keys" / "keyset.sealed")]
    )
    assert answer.exit_code == 0, answer.output
    again = open_house(restored)
    assert is_found(again)
    again.close()


def test_a_server_on_a_copy_without_a_turn_of_the_ratchet_mends_its_look_ups_itself(
    house: House, clock: SteppingClock, tmp_path: Path
) -> None:
    folder = house.folder
    house.close()
    shutil.copytree(folder / "data", tmp_path / "copy")
    now = open_house(folder, clock)
    for name in GUESSABLE:
        rotate(now.database, now.vault, name, keepers_of(now.vault).movers)
    now.close()
    shutil.rmtree(folder / "data")
    shutil.copytree(tmp_path / "copy", folder / "data")
    again = open_house(folder, clock)
    assert not is_found(again)
    hours_pass(again)(1)
    assert is_found(again)
    again.close()
