"""A copy of database and blocks from before an erasure: the erased do not come back, the living do.

Whoever kept the copy finds the old block shut once the vault's ratchet turned, with today's keys in hand; a
restore takes today's key set, and goes on with everybody but the erased.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorward.core.errors import NotFound, Tampered
from doorward.core.permissions import EVERY_SITE
from doorward.gallery import service, store
from doorward.gallery.model import State
from doorward.gallery.service.sealing import secret_of, unsealed_rotation
from doorward.people.service import forget_person
from doorward.people.service.forgetting import forget_erased
from doorward.platform.db import Database, Unit
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.service import Vault, adopt_key_set, export_key_set, open_key, ratchet
from tests.conftest import GUARD, SITE, SteppingClock
from tests.people.office import Office, made_up_names
from tests.searching import recogniser_at

FACES = (1, 2, 3)
ERASED = 2


@dataclass
class Restored:
    """The copy, opened with the key ring as it is today."""

    office: Office
    database: Database
    vault: Vault

    def who(self) -> list[str | None]:
        return [self.office.who(face) for face in FACES]

    def read_block(self) -> None:
        """What whoever holds copy and keys tries: open the rotation and the block as they were."""
        with self.office.unit() as unit:
            generation = store.find_generation(unit.rows, SITE, State.CURRENT)
            assert generation is not None
            unsealed_rotation(unit, self.vault, generation)

    def seed_opens(self) -> bool:
        with self.office.unit() as unit:
            return seed_opens(unit, self.vault)


def seed_opens(unit: Unit, vault: Vault) -> bool:
    """Whether the seed of the only block opens."""
    generation = store.find_generation(unit.rows, SITE, State.CURRENT)
    assert generation is not None
    (shelf,), (block,) = (
        store.list_shelves(unit.rows, generation.id),
        store.list_blocks(unit.rows, generation.id),
    )
    try:
        secret_of(unit, vault, shelf, block)
    except (NotFound, Tampered):
        return False
    return True


@pytest.fixture
def office(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Office:
    folder = tmp_path / "gallery"
    return Office(database, clock, vault, recogniser_at(vault, folder), made_up_names(), folder)


@pytest.fixture
def ids(office: Office) -> list[str]:
    return [office.known(face) for face in FACES]


@pytest.fixture
def copied(office: Office, ids: list[str], tmp_path: Path) -> Path:
    """Database and blocks as they were before anybody was erased."""
    copy = tmp_path / "copy"
    copy.mkdir()
    with office.unit():
        for file in tmp_path.glob("doorward.db*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, copy / file.name)
        shutil.copytree(office.folder, copy / "gallery")
    return copy


@pytest.fixture
def restored(copied: Path, office: Office, tmp_path: Path) -> Iterator[list[Restored]]:
    """A list that `restore` fills: engines end with the test."""
    made: list[Restored] = []
    yield made
    for each in made:
        each.database.engine.dispose()


def restore(made: list[Restored], copied: Path, office: Office, tmp_path: Path) -> Restored:
    keys = tmp_path / "keys"
    vault = Vault.open(keys, FileCustodian(keys / "root.key"), office.vault.objects)
    database = Database(encrypted_sqlite(copied / "doorward.db", bytes(range(32))), office.clock)
    recogniser = recogniser_at(vault, copied / "gallery")
    there = Office(database, office.clock, vault, recogniser, made_up_names(), copied / "gallery")
    made.append(Restored(there, database, vault))
    return made[-1]


def erase(office: Office, person_id: str) -> None:
    with office.unit() as unit:
        forget_person(unit, office.recogniser, person_id)


def adopt(here: Office, there: Restored) -> tuple[str, ...]:
    """`doorward keys adopt` with today's key set."""
    with here.database.unit(GUARD, EVERY_SITE) as unit:
        key_set = export_key_set(unit, here.vault)
    with there.database.unit(GUARD, EVERY_SITE) as unit:
        adopted = adopt_key_set(unit, there.vault, key_set)
        forget_erased(unit, there.office.recogniser.matcher, adopted.sites)
    return adopted.erased


def test_before_the_ratchet_turned_an_old_copy_opens_which_is_why_it_turns(
    office: Office, ids: list[str], copied: Path, restored: list[Restored], tmp_path: Path
) -> None:
    erase(office, ids[1])
    there = restore(restored, copied, office, tmp_path)
    assert there.seed_opens()
    assert there.who() == ids


def test_after_the_ratchet_turned_an_old_block_opens_for_nobody_with_todays_keys(
    office: Office, ids: list[str], copied: Path, restored: list[Restored], tmp_path: Path
) -> None:
    erase(office, ids[1])
    ratchet(office.database, office.vault)
    there = restore(restored, copied, office, tmp_path)
    assert not there.seed_opens()
    with pytest.raises(Tampered, match="destroyed"):
        there.read_block()
    with there.office.unit() as unit, pytest.raises(Tampered, match="destroyed"):
        open_key(unit, there.vault, ids[1])
    assert there.who() == [None, None, None]  # until the key set is adopted, gates stay shut to faces
    assert [office.who(face) for face in FACES] == [ids[0], None, ids[2]]


@pytest.mark.parametrize("looked_first", [False, True], ids=["at once", "after a look"])
def test_with_todays_key_set_the_living_are_found_again_and_the_erased_are_not(
    office: Office,
    ids: list[str],
    copied: Path,
    restored: list[Restored],
    tmp_path: Path,
    looked_first: bool,
) -> None:
    erase(office, ids[1])
    late = office.known(9)  # enrolled since: the copy does not know them
    ratchet(office.database, office.vault)
    there = restore(restored, copied, office, tmp_path)
    if looked_first:
        assert there.who() == [None, None, None]
    assert adopt(office, there) == (ids[1],)
    again = restore(restored, copied, office, tmp_path)
    for each in (there, again):
        assert each.who() == [ids[0], None, ids[2]]
        assert each.office.who(9) is None
    assert late not in ids
    with again.office.unit() as unit:
        kept = service.list_kept(unit)
        assert kept
        keyholder = again.office.recogniser.matcher.keyholder  # type: ignore[attr-defined]
        assert all(service.is_sound(unit, keyholder, one) for one in kept)


def test_the_old_seal_stays_shut_after_the_key_set_was_adopted(
    office: Office, ids: list[str], copied: Path, restored: list[Restored], tmp_path: Path
) -> None:
    """The copy's own rows name a seal that the living people's house has destroyed since."""
    there = restore(restored, copied, office, tmp_path)
    with there.office.unit() as unit:
        generation = store.find_generation(unit.rows, SITE, State.CURRENT)
        assert generation is not None
        (shelf,), (block,) = (
            store.list_shelves(unit.rows, generation.id),
            store.list_blocks(unit.rows, generation.id),
        )
        secret_of(unit, there.vault, shelf, block)  # it opens
    erase(office, ids[1])
    ratchet(office.database, office.vault)
    adopt(office, there)
    with there.office.unit() as unit, pytest.raises((NotFound, Tampered)):
        secret_of(unit, restore(restored, copied, office, tmp_path).vault, shelf, block)
    assert there.who() == [ids[0], None, ids[2]]
