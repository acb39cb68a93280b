from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from doorward.app.tables import METADATA
from doorward.core.errors import DoorwardError, Tampered
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database, Unit
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.idempotency import add_answer
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.rules import IDLE, LINGERS
from doorward.vault.service import (
    Vault,
    add_photo,
    adopt_key_set,
    begin_due_ratchets,
    begin_rotation,
    closed_at,
    erase_subject,
    half_done,
    make_subject_key,
    open_key,
    rotate,
    rotate_database_key,
    survey,
    turn_half_done,
    vault_counters,
    vault_movers,
)

from ..conftest import GUARD, NOON, SITE, SteppingClock

PEOPLE = KeyName(Use.WRAP, Purpose.PEOPLE)
PLATES = KeyName(Use.WRAP, Purpose.PLATES)
STAFF = KeyName(Use.SEAL, Purpose.STAFF)
PERMITS = KeyName(Use.SIGN, Purpose.GATES)
DATABASE = KeyName(Use.OPEN, Purpose.DATABASE)


def add(database: Database, vault: Vault, count: int, kind: str = "person") -> None:
    with database.unit(GUARD, SITE) as unit:
        for number in range(count):
            make_subject_key(unit, vault, f"{kind}_{number}")


def all_open(database: Database, vault: Vault, count: int) -> None:
    with database.reading(GUARD, SITE) as unit:
        for number in range(count):
            open_key(unit, vault, f"person_{number}")


def test_a_rotation_that_was_left_half_done_is_finished_batch_by_batch(
    database: Database, vault: Vault
) -> None:
    add(database, vault, 2050)
    movers = vault_movers(vault)
    begin_rotation(database, vault, PEOPLE, movers)
    assert half_done(vault, database.clock()) == [PEOPLE]
    assert [turn_half_done(database, vault, movers) for _ in range(3)] == [2000, 50, 0]
    assert half_done(vault, database.clock()) == []
    assert vault.generations(PEOPLE) == [2]
    all_open(database, vault, 2050)


def test_a_rotation_that_cannot_go_on_holds_up_neither_the_ratchet_nor_others(
    database: Database, vault: Vault
) -> None:
    add(database, vault, 3)
    name, photos = KeyName(Use.BLIND, Purpose.BLIND_NAME), KeyName(Use.SEAL, Purpose.PHOTOS)
    damaged = KeyName(Use.SEAL, Purpose.ANSWERS)

    def refuse(*_: object) -> int:
        raise Tampered("A row is damaged.")

    movers = {**vault_movers(vault), name: [lambda *_: 0], damaged: [refuse]}
    for each in (damaged, name, photos, PEOPLE):
        begin_rotation(database, vault, each, movers)
    for _ in range(2):
        with pytest.raises(Tampered):
            turn_half_done(database, vault, movers)
    assert half_done(vault, database.clock()) == [damaged]
    all_open(database, vault, 3)


def test_a_slow_rotator_does_not_destroy_what_another_began_since(database: Database, vault: Vault) -> None:
    add(database, vault, 3)
    mine = vault_movers(vault)[PEOPLE][0]
    begun: list[int] = []

    def meanwhile(unit: Unit, limit: int) -> int:
        moved = mine(unit, limit)
        if not moved and not begun:
            with vault.ring.change() as ring:  # another process finished this one and began the next
                begun.append(ring.add(PEOPLE, unit.now))
        return moved

    rotate(database, vault, PEOPLE, {PEOPLE: [meanwhile]})
    assert begun[0] in vault.generations(PEOPLE)
    rotate(database, vault, PEOPLE, vault_movers(vault))
    all_open(database, vault, 3)


def test_the_key_of_permits_lingers_for_journals_on_their_way(
    database: Database, vault: Vault, clock: SteppingClock
) -> None:
    assert PERMITS in LINGERS
    rotate(database, vault, PERMITS, {})
    assert [signer.key_id.rsplit("-", 1)[0] for signer in vault.signers(Purpose.GATES)] == [
        "gates-2",
        "gates-1",
    ]
    clock.advance(days=29)
    assert half_done(vault, clock.now) == []
    clock.advance(days=1)
    assert half_done(vault, clock.now) == [PERMITS]
    turn_half_done(database, vault, {})
    assert vault.generations(PERMITS) == [2]
    assert len(vault.public_keys(Purpose.GATES)) == 2


def test_a_re_keying_cut_short_is_finished_by_the_schedule(
    clock: SteppingClock, vault: Vault, tmp_path: Path
) -> None:
    engine = encrypted_sqlite(tmp_path / "open.db", vault.database_keys)
    METADATA.create_all(engine)
    database = Database(engine, clock)
    with vault.ring.change() as ring:
        ring.add(DATABASE, clock.now)
    assert half_done(vault, clock.now) == [DATABASE]
    turn_half_done(database, vault, {})
    assert vault.generations(DATABASE) == [2]
    with database.unit(GUARD, SITE) as unit:
        told = unit.rows.execute(text("SELECT event FROM audit_entries ORDER BY position")).scalars()
        assert list(told) == ["vault.key_ends", "vault.database_rekeyed"]
    engine.dispose()


def test_what_lies_under_old_keys_is_counted_and_no_key_is_shown(database: Database, vault: Vault) -> None:
    add(database, vault, 5)
    add(database, vault, 2, "vehicle")
    with database.unit(GUARD, SITE) as unit:
        add_photo(unit, vault, "person_1", b"\xff\xd8" + bytes(9))
        add_answer(unit, "row", vault.seal_answer("row", b"{}"))
    movers, counters = vault_movers(vault), vault_counters(vault)
    for name in counters:
        begin_rotation(database, vault, name, movers)
    with database.reading(GUARD, EVERY_SITE) as unit:
        states = {state.name: state for state in survey(unit, vault, movers, counters)}
    left = {str(name): states[name].left for name in counters}
    assert left == {"seal.answers": 1, "seal.photos": 1, "wrap.people": 5, "wrap.plates": 2}
    assert (states[PEOPLE].generations, states[PEOPLE].made_at) == ((2, 1), NOON)
    assert states[DATABASE].movable and not states[STAFF].movable
    keys = [raw for generations in vault.ring.read().keys.values() for raw in generations.values()]
    assert not [raw for raw in keys if repr(raw) in repr(states) or raw.hex() in repr(states)]


def test_the_ratchet_turns_soon_after_an_erasure_and_never_for_nothing(
    database: Database, vault: Vault, clock: SteppingClock
) -> None:
    add(database, vault, 4)
    movers = vault_movers(vault)

    def due() -> list[KeyName]:
        with database.unit(GUARD, SITE) as unit:
            return begin_due_ratchets(unit, vault, movers)

    def erase(number: int) -> None:
        with database.unit(GUARD, SITE) as unit:
            erase_subject(unit, vault, f"person_{number}")

    def closed(number: int) -> datetime | None:
        with database.reading(GUARD, SITE) as unit:
            return closed_at(unit, f"person_{number}")

    def finish() -> None:
        while half_done(vault, clock.now):
            turn_half_done(database, vault, movers)

    assert due() == []
    erase(0)
    assert closed(0) is None
    assert due() == [PEOPLE], "how old the first key is, is not known"
    assert due() == [], "it turns already"
    erase(1)
    clock.advance(seconds=30)
    finish()
    assert closed(0) == clock.now
    assert closed(1) is None, "copies from the middle of the turn may hold this one under the new key"
    assert due() == [], "erasures are gathered"
    clock.advance(days=-1)
    assert due() == [PEOPLE], "a clock that was set back keeps nobody waiting"
    clock.advance(days=1, minutes=2)
    erase(2)
    finish()
    assert due() == [PEOPLE]
    finish()
    assert closed(1) is not None and closed(2) == clock.now
    clock.advance(minutes=3)
    assert due() == [], "nobody was erased since"
    assert vault.generations(PLATES) == [1]


def refuse(database: Database, event: str) -> None:
    """Entries of this kind cannot be written from now on, as on a full disk."""
    with database.unit(GUARD, SITE) as unit:
        unit.rows.execute(
            text(
                f"CREATE TRIGGER refuse BEFORE INSERT ON audit_entries WHEN NEW.event = '{event}' "
                f"BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        )


@pytest.mark.parametrize("event", ["vault.rotation_begun", "vault.key_ends", "vault.rotated"])
@pytest.mark.parametrize("name", [PEOPLE, KeyName(Use.SIGN, Purpose.AUDIT)], ids=str)
def test_no_key_is_made_or_destroyed_without_its_entry(
    database: Database, vault: Vault, name: KeyName, event: str
) -> None:
    add(database, vault, 3)
    refuse(database, event)
    with pytest.raises(DoorwardError):
        rotate(database, vault, name, vault_movers(vault))
    assert 1 in vault.generations(name)
    assert len(vault.generations(name)) == (1 if event == "vault.rotation_begun" else 2)
    with database.unit(GUARD, SITE) as unit:
        unit.rows.execute(text("DROP TRIGGER refuse"))
    rotate(database, vault, name, vault_movers(vault))
    assert vault.generations(name) == [2]
    all_open(database, vault, 3)


def test_the_end_of_a_key_is_in_the_log_though_the_unit_that_destroyed_it_was_lost(
    database: Database, vault: Vault
) -> None:
    with database.unit(GUARD, SITE) as unit:
        # What fails at the commit itself, when all else was done.
        unit.rows.execute(text("CREATE TABLE here (id INTEGER PRIMARY KEY)"))
        deferred = "INTEGER REFERENCES here (id) DEFERRABLE INITIALLY DEFERRED"
        unit.rows.execute(text(f"CREATE TABLE there (id {deferred})"))
        unit.rows.execute(
            text(
                "CREATE TRIGGER lose BEFORE INSERT ON audit_entries WHEN NEW.event = 'vault.rotated' "
                "BEGIN INSERT INTO there VALUES (1); END"
            )
        )
    with pytest.raises(DoorwardError):
        rotate(database, vault, PEOPLE, vault_movers(vault))
    assert vault.generations(PEOPLE) == [2]
    with database.reading(GUARD, EVERY_SITE) as unit:
        told = unit.rows.scalar(text("SELECT facts FROM audit_entries WHERE event = 'vault.key_ends'"))
    assert told == '{"ends":[1],"generation":2,"key":"wrap.people"}'


@pytest.mark.parametrize("event", ["vault.rotation_begun", "vault.key_ends", "vault.database_rekeyed"])
def test_no_key_of_the_file_is_made_or_destroyed_without_its_entry(
    clock: SteppingClock, vault: Vault, tmp_path: Path, event: str
) -> None:
    engine = encrypted_sqlite(tmp_path / "open.db", vault.database_keys)
    METADATA.create_all(engine)
    database = Database(engine, clock)
    refuse(database, event)
    with pytest.raises(DoorwardError):
        rotate_database_key(database, vault)
    assert vault.generations(DATABASE) == ([1] if event == "vault.rotation_begun" else [2, 1])
    with database.unit(GUARD, SITE) as unit:
        unit.rows.execute(text("DROP TRIGGER refuse"))
    assert rotate_database_key(database, vault) == 2
    assert vault.generations(DATABASE) == [2]
    engine.dispose()


def test_a_turn_of_the_ratchet_writes_the_key_set_by_the_ring(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    add(database, vault, 3)
    rotate(database, vault, PEOPLE, vault_movers(vault))
    kept = (tmp_path / "keys" / "keyset.sealed").read_bytes()
    assert (tmp_path / "keys" / "keyset.sealed").stat().st_mode & 0o777 == 0o600
    with database.unit(GUARD, EVERY_SITE) as unit:
        unit.rows.execute(text("UPDATE audit_nodes SET digest = x'00'"))  # as if it were a copy's log
        unit.rows.execute(text("UPDATE audit_entries SET digest = x'00'"))
        assert adopt_key_set(unit, vault, kept).fitted == 3
    assert b"person" not in kept


@pytest.mark.parametrize("name", sorted(IDLE), ids=str)
def test_an_idle_key_changes_at_once_and_serves_nothing(
    database: Database, vault: Vault, name: KeyName
) -> None:
    with pytest.raises(DoorwardError):
        if name.use is Use.SEAL:
            vault.seal(name.purpose, Place("t", "c", "r"), b"x")
        else:
            vault.blind(name.purpose, "x")
    assert rotate(database, vault, name, vault_movers(vault)).moved == 0
    assert vault.generations(name) == [2]


def test_ages_survive_the_ring_and_rings_without_them_open(vault: Vault) -> None:
    with vault.ring.change() as ring:
        ring.add(STAFF, NOON + timedelta(microseconds=5))
    ring = vault.ring.read()
    assert ring.made_at == {(STAFF, 2): NOON}


def test_stopped_between_two_batches_nothing_is_lost_and_the_rest_is_moved_later(
    database: Database, vault: Vault
) -> None:
    add(database, vault, 450)
    movers, heard = vault_movers(vault), list[int]()

    def stop(moved: int) -> None:
        heard.append(moved)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(database, vault, PEOPLE, movers, watch=stop)
    assert (heard, vault.generations(PEOPLE)) == ([200], [2, 1])
    all_open(database, vault, 450)
    some = rotate(database, vault, PEOPLE, movers, most=1)
    assert (some.moved, some.done) == (200, False)
    rest = rotate(database, vault, PEOPLE, movers, watch=heard.append)
    assert (rest.generation, rest.moved, rest.done, heard) == (2, 50, True, [200, 50])
    all_open(database, vault, 450)
