from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

import doorward_verify
from doorward.app.tables import METADATA
from doorward.audit.service import export, record, sign_head, verify
from doorward.core.errors import Conflict, Denied, Invalid, Tampered
from doorward.core.permissions import EVERY_SITE, system_actor
from doorward.platform.db import Database, Unit
from doorward.platform.engine import encrypted_sqlite, postgres
from doorward.platform.idempotency import add_answer
from doorward.vault.drivers.custodians import FileCustodian, PassphraseCustodian
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.service import (
    Vault,
    add_photo,
    generation_of,
    grant_view,
    list_photos,
    make_subject_key,
    open_key,
    ratchet,
    redeem_view,
    rotate,
    rotate_database_key,
    rotate_root,
    seal_for,
    unseal_for,
    vault_movers,
)

from ..conftest import GUARD, SITE, SteppingClock
from ..writer import Writer

JPEG = b"\xff\xd8" + bytes(300)
PLATES = KeyName(Use.BLIND, Purpose.BLIND_PLATE)
STAFF = KeyName(Use.SEAL, Purpose.STAFF)


def place(subject: str) -> Place:
    return Place("people", "name", subject)


def enrol(database: Database, vault: Vault, number: int) -> None:
    subject = f"person_{number}"
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, subject)
        sealed = seal_for(unit, vault, subject, place(subject), subject.encode())
        unit.rows.execute(text("INSERT INTO names VALUES (:id, :sealed)"), {"id": subject, "sealed": sealed})
    with database.reading(GUARD, SITE) as unit:
        assert unseal_for(unit, vault, subject, place(subject), sealed) == subject.encode()


@pytest.fixture
def names(database: Database) -> Database:
    with database.unit(GUARD, SITE) as unit:
        unit.rows.execute(text("CREATE TABLE names (id TEXT PRIMARY KEY, sealed BLOB)"))
    return database


def all_open(database: Database, vault: Vault) -> int:
    with database.unit(GUARD, SITE) as unit:
        rows = unit.rows.execute(text("SELECT id, sealed FROM names")).all()
        for subject, sealed in map(tuple, rows):
            assert unseal_for(unit, vault, subject, place(subject), sealed) == subject.encode()
    return len(rows)


def test_the_ratchet_turns_while_people_are_enrolled(names: Database, vault: Vault) -> None:
    for number in range(450):
        with names.unit(GUARD, SITE) as unit:
            make_subject_key(unit, vault, f"vehicle_{number}")
    with Writer(lambda number: enrol(names, vault, number)) as writer:
        for _ in range(4):
            ratchet(names, vault)
            ratchet(names, vault, Purpose.PLATES)
    assert all_open(names, vault) >= writer.done
    assert vault.generations(KeyName(Use.WRAP, Purpose.PEOPLE)) == [5]
    with names.unit(GUARD, EVERY_SITE) as unit:
        sign_head(unit, vault.audit_signer())
        verify(unit, vault.audit_keys())
        generations = unit.rows.execute(text("SELECT DISTINCT generation FROM vault_subject_keys")).all()
    assert [row[0] for row in generations] == [5]


def test_two_processes_see_each_others_rotation(names: Database, vault: Vault, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    other = Vault.open(keys, FileCustodian(keys / "root.key"), vault.objects)
    enrol(names, vault, 1)
    assert all_open(names, other) == 1
    ratchet(names, vault)
    assert all_open(names, other) == 1
    enrol(names, other, 2)
    assert all_open(names, vault) == 2


def test_look_ups_find_while_their_key_is_replaced(names: Database, vault: Vault) -> None:
    with names.unit(GUARD, SITE) as unit:
        unit.rows.execute(text("CREATE TABLE plates (id INTEGER PRIMARY KEY, plate TEXT, blind BLOB)"))

    def add(number: int) -> None:
        with names.unit(GUARD, SITE) as unit:
            blind = vault.blind(Purpose.BLIND_PLATE, f"B{number}")
            values = {"plate": f"B{number}", "blind": blind}
            unit.rows.execute(text("INSERT INTO plates (plate, blind) VALUES (:plate, :blind)"), values)
        with names.unit(GUARD, SITE) as unit:
            assert find(unit, f"B{number}")

    def find(unit: Unit, plate: str) -> bool:
        hashes = vault.blinds(Purpose.BLIND_PLATE, plate)
        query = text("SELECT 1 FROM plates WHERE blind = :a OR blind = :b")
        return bool(unit.rows.scalar(query, {"a": hashes[0], "b": hashes[-1]}))

    def rehash(unit: Unit, limit: int) -> int:
        moved = 0
        for number, plate, blind in map(
            tuple, unit.rows.execute(text("SELECT id, plate, blind FROM plates")).all()
        ):
            new = vault.blind(Purpose.BLIND_PLATE, plate)
            if new != blind and moved < limit:
                unit.rows.execute(
                    text("UPDATE plates SET blind = :new WHERE id = :id"), {"new": new, "id": number}
                )
                moved += 1
        return moved

    with Writer(add) as writer:
        old = vault.blind(Purpose.BLIND_PLATE, "B0")
        for _ in range(3):
            rotate(names, vault, PLATES, {PLATES: [rehash]})
    assert vault.blind(Purpose.BLIND_PLATE, "B0") != old
    assert len(vault.blinds(Purpose.BLIND_PLATE, "B0")) == 1
    with names.unit(GUARD, SITE) as unit:
        plates = [row[0] for row in unit.rows.execute(text("SELECT plate FROM plates")).all()]
        assert len(plates) >= writer.done
        assert all(find(unit, plate) for plate in plates)


def test_photos_move_to_a_new_key_and_are_shown_meanwhile(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, "person_1")

    def add_and_look(number: int) -> None:
        with database.unit(GUARD, SITE) as unit:
            photo_id = add_photo(unit, vault, "person_1", JPEG + bytes([number % 256]))
        with database.unit(GUARD, SITE) as unit:
            token = grant_view(unit, vault, photo_id, purpose="guard-check")
            assert redeem_view(unit, vault, token) == JPEG + bytes([number % 256])

    name = KeyName(Use.SEAL, Purpose.PHOTOS)
    with Writer(add_and_look) as writer:
        for _ in range(3):
            rotate(database, vault, name, vault_movers(vault))
    with database.unit(GUARD, SITE) as unit:
        photos = list_photos(unit, "person_1")
        assert len(photos) >= writer.done
        for photo_id in photos:
            redeem_view(unit, vault, grant_view(unit, vault, photo_id, purpose="guard-check"))
    assert vault.generations(name) == [4]


def test_stored_answers_are_resealed(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, SITE) as unit:
        for number in range(450):
            add_answer(unit, f"row{number}", vault.seal_answer(f"row{number}", b"{}"))
    done = rotate(database, vault, KeyName(Use.SEAL, Purpose.ANSWERS), vault_movers(vault))
    assert done.moved == 450
    with database.unit(GUARD, SITE) as unit:
        for row_id, answer in map(
            tuple, unit.rows.execute(text("SELECT id, answer FROM kept_answers")).all()
        ):
            assert vault.unseal_answer(row_id, answer) == b"{}"


def test_signing_keys_change_and_old_signatures_still_verify(database: Database, vault: Vault) -> None:
    def sign(_: int) -> None:
        with database.unit(GUARD, SITE) as unit:
            record(unit, "thing.done")
            sign_head(unit, vault.audit_signer())

    with Writer(sign):
        for _ in range(3):
            rotate(database, vault, KeyName(Use.SIGN, Purpose.AUDIT), {})
    assert len(vault.audit_keys()) == 4
    sign(0)
    with database.reading(GUARD, EVERY_SITE) as unit:
        assert verify(unit, vault.audit_keys()).heads > 1


def test_a_key_of_the_log_that_was_replaced_vouches_for_nothing_later(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    stolen = vault.audit_signer()
    with database.unit(GUARD, EVERY_SITE) as unit:
        record(unit, "thing.done")
        sign_head(unit, stolen)
    rotate(database, vault, KeyName(Use.SIGN, Purpose.AUDIT), {})
    with database.unit(GUARD, EVERY_SITE) as unit:
        sign_head(unit, vault.audit_signer())
        verify(unit, vault.audit_keys())
    newest, older = (signer.hex() for signer in reversed(vault.audit_keys().values()))
    call = ["--key", newest, "--key", older]
    assert exported(database, tmp_path / "whole", call) == 0
    with database.unit(GUARD, EVERY_SITE) as unit:
        # A thief with the old key and the database goes on from here, or cuts off what the newest signed.
        sign_head(unit, replace(stolen, key_id="audit-9-" + stolen.key_id[-8:]))
        with pytest.raises(Tampered):
            verify(unit, vault.audit_keys())
        unit.rows.execute(text("DELETE FROM audit_heads WHERE key_id LIKE 'audit-9-%'"))
        record(unit, "thing.forged")
        sign_head(unit, stolen)
        with pytest.raises(Tampered, match="replaced"):
            verify(unit, vault.audit_keys())
    assert exported(database, tmp_path / "forged", call) == 1
    with database.unit(GUARD, EVERY_SITE) as unit:
        unit.rows.execute(text("DELETE FROM audit_heads WHERE key_id LIKE 'audit-2-%'"))
        with pytest.raises(Tampered, match="replaced"):
            verify(unit, vault.audit_keys())
    assert exported(database, tmp_path / "cut", call) == 1


def exported(database: Database, folder: Path, call: list[str]) -> int:
    with database.unit(GUARD, EVERY_SITE) as unit:
        export(unit, folder)
    return doorward_verify.main([str(folder), *call])


def test_the_root_key_changes_while_others_work(names: Database, vault: Vault, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    with Writer(lambda number: enrol(names, vault, number)) as writer:
        rotate_root(names, vault, FileCustodian(keys / "second.key"))
        rotate_root(names, vault, FileCustodian(keys / "third.key"))
    assert all_open(names, vault) >= writer.done
    Vault.open(keys, FileCustodian(keys / "third.key"), vault.objects)
    for old in ("root.key", "second.key"):
        with pytest.raises(Denied):
            Vault.open(keys, FileCustodian(keys / old), vault.objects)
    rotate_root(names, vault, PassphraseCustodian("five words that nobody guesses"))
    assert all_open(names, vault) >= writer.done


def test_a_rotation_cut_short_is_taken_up_where_it_stopped(database: Database, vault: Vault) -> None:
    name = KeyName(Use.WRAP, Purpose.PEOPLE)
    with database.unit(GUARD, SITE) as unit:
        for number in range(450):
            make_subject_key(unit, vault, f"person_{number}")
    mover = vault_movers(vault)[name][0]
    calls = []

    def failing(unit: Unit, limit: int) -> int:
        calls.append(limit)
        if len(calls) == 2:
            raise RuntimeError
        return mover(unit, limit)

    with pytest.raises(RuntimeError):
        rotate(database, vault, name, {name: [failing]})
    assert vault.generations(name) == [2, 1]
    with database.unit(GUARD, SITE) as unit:
        open_key(unit, vault, "person_0")
        open_key(unit, vault, "person_449")
    done = ratchet(database, vault)
    assert (done.generation, done.moved) == (2, 250)
    assert vault.generations(name) == [2]


def test_rows_that_come_late_are_moved_before_the_old_key_goes(database: Database, vault: Vault) -> None:
    left = [3, 0, 2, 0, 0]
    done = rotate(database, vault, STAFF, {STAFF: [lambda unit, limit: left.pop(0)]})
    assert done.moved == 5
    assert vault.generations(STAFF) == [2]


def test_a_key_nobody_can_move_rows_from_is_not_rotated(database: Database, vault: Vault) -> None:
    with pytest.raises(Conflict, match="staff"):
        rotate(database, vault, STAFF, vault_movers(vault))
    assert vault.generations(STAFF) == [1]
    with pytest.raises(Invalid, match="rekey"):
        rotate(database, vault, KeyName(Use.OPEN, Purpose.DATABASE), {})


def test_a_destroyed_key_is_gone_for_a_fresh_process(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    sealed = vault.seal(Purpose.STAFF, place("x"), b"x")
    assert generation_of(sealed) == 1
    rotate(database, vault, STAFF, {STAFF: ()})
    fresh = Vault.open(keys, FileCustodian(keys / "root.key"), vault.objects)
    with pytest.raises(Tampered, match="destroyed"):
        fresh.unseal(Purpose.STAFF, place("x"), sealed)
    # A reader of this process may still hold a snapshot from before; it has half a minute.
    assert vault.unseal(Purpose.STAFF, place("x"), sealed) == b"x"


def test_the_database_is_encrypted_anew_while_others_write(
    clock: SteppingClock, vault: Vault, tmp_path: Path
) -> None:
    path = tmp_path / "open.db"
    engine = encrypted_sqlite(path, vault.database_keys)
    other = encrypted_sqlite(path, vault.database_keys)  # as another process would hold it
    METADATA.create_all(engine)
    here, there = Database(engine, clock), Database(other, clock)
    old = vault.database_keys()[0]
    with here.unit(GUARD, SITE) as unit:
        unit.rows.execute(text("CREATE TABLE names (id TEXT PRIMARY KEY, sealed BLOB)"))
    with Writer(lambda number: enrol(there, vault, number)) as writer:
        for _ in range(3):
            rotate_database_key(here, vault)
    assert all_open(here, vault) >= writer.done
    assert len(vault.database_keys()) == 1
    with here.unit(GUARD, EVERY_SITE) as unit:
        verify(unit, vault.audit_keys())
        events = unit.rows.scalar(
            text("SELECT count(*) FROM audit_entries WHERE event = 'vault.database_rekeyed'")
        )
        assert events == 3
    for each in (engine, other):
        each.dispose()
    stale = encrypted_sqlite(path, old)
    with pytest.raises(Tampered), Database(stale, clock).unit(GUARD, SITE):
        pass
    stale.dispose()


def test_a_file_opens_with_either_key_while_it_is_re_keyed(clock: SteppingClock, tmp_path: Path) -> None:
    path = tmp_path / "open.db"
    first, second = b"1" * 32, b"2" * 32
    for keys in ([second], [first, second], [second, first]):
        engine = encrypted_sqlite(path, partial(list, keys))
        with Database(engine, clock).unit(GUARD, SITE) as unit:
            unit.rows.execute(text("CREATE TABLE IF NOT EXISTS t (x)"))
        engine.dispose()


def test_postgres_files_are_not_ours_to_encrypt(clock: SteppingClock, vault: Vault) -> None:
    engine = postgres("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Invalid):
        rotate_database_key(Database(engine, clock), vault, actor=system_actor("test"))
    engine.dispose()
