import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

import doorward_verify
from doorward.audit.service import record, verify
from doorward.core.errors import Conflict, Invalid, NotFound, Tampered
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.jobs import run_due
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.model import Place, Purpose
from doorward.vault.service import (
    FORGET_OBJECTS,
    Vault,
    add_photo,
    adopt_key_set,
    erase_subject,
    export_key_set,
    find_receipt,
    forget_objects,
    grant_view,
    make_subject_key,
    open_key,
    ratchet,
    receipt_from,
    receipt_text,
    redeem_view,
    seal_for,
    unseal_for,
)

from ..conftest import GUARD, SITE

HERE = Place("people", "name", "person_1")
THERE = Place("people", "name", "person_2")
JPEG = b"\xff\xd8" + bytes(500)


@pytest.fixture
def sealed(database: Database, vault: Vault) -> dict[str, bytes]:
    with database.unit(GUARD, SITE) as unit:
        for subject in ("person_1", "person_2"):
            make_subject_key(unit, vault, subject)
        add_photo(unit, vault, "person_1", JPEG)
        one = seal_for(unit, vault, "person_1", HERE, b"one")
        return {"person_1": one, "person_2": seal_for(unit, vault, "person_2", THERE, b"two")}


def erase(database: Database, vault: Vault, subject: str = "person_1") -> str:
    with database.unit(GUARD, SITE) as unit:
        return receipt_text(erase_subject(unit, vault, subject))


def test_after_an_erasure_nothing_opens_and_a_receipt_stays(
    database: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    receipt = receipt_from(erase(database, vault))
    assert receipt.body["photos"] == 1
    with database.unit(GUARD, SITE) as unit:
        with pytest.raises(NotFound):
            unseal_for(unit, vault, "person_1", HERE, sealed["person_1"])
        with pytest.raises(NotFound):
            add_photo(unit, vault, "person_1", JPEG)
        with pytest.raises(Conflict):
            make_subject_key(unit, vault, "person_1")
        assert unseal_for(unit, vault, "person_2", THERE, sealed["person_2"]) == b"two"
        assert find_receipt(unit, "person_1") == receipt == erase_subject(unit, vault, "person_1")
        with pytest.raises(NotFound):
            find_receipt(unit, "person_2")
        with pytest.raises(NotFound):
            erase_subject(unit, vault, "person_9")
    run_due(database, {FORGET_OBJECTS: lambda unit, facts: forget_objects(unit, vault, facts)})
    assert not [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    with database.reading(GUARD, EVERY_SITE) as unit:
        verify(unit, vault.audit_keys())


def test_a_receipt_is_checked_offline_and_any_change_shows(
    database: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_text(erase(database, vault))
    (audit_key,) = vault.audit_keys().values()
    (own_key,) = vault.public_keys(Purpose.VAULT).values()
    call = [str(path), "--key", audit_key.hex(), "--receipt-key", own_key.hex()]
    assert doorward_verify.main(call) == 0
    assert doorward_verify.main([str(path), "--key", own_key.hex(), "--receipt-key", audit_key.hex()]) == 1
    whole = json.loads(path.read_text())
    signer = vault.signer(Purpose.VAULT)
    for field, value in (
        ("subject_id", "person_2"),
        ("leaf", whole["body"]["leaf"].replace("person_1", "person_2")),
        ("proof", whole["body"]["proof"] | {"position": 0}),
        ("proof", whole["body"]["proof"] | {"size": 1}),
        ("proof", whole["body"]["proof"] | {"path": whole["body"]["proof"]["path"][1:]}),
        ("proof", whole["body"]["proof"] | {"path": [*whole["body"]["proof"]["path"], "00" * 32]}),
        ("head", whole["body"]["head"] | {"root": "00" * 32}),
    ):
        body = whole["body"] | {field: value}
        path.write_text(json.dumps(whole | {"body": body}))
        assert doorward_verify.main(call) == 1, field
        # Not even whoever holds the receipt key can say that the log holds what it does not.
        again = signer.sign(doorward_verify.RECEIPT_PREFIX + doorward_verify.canonical(body))
        path.write_text(json.dumps({"body": body, "signature": again.hex()}))
        assert doorward_verify.main(call) == 1, field


@pytest.fixture
def old_copy(database: Database, sealed: dict[str, bytes], tmp_path: Path) -> Path:
    copy = tmp_path / "copy.db"
    with database.engine.connect() as link:
        link.exec_driver_sql("PRAGMA cache_size")
    with database.unit(GUARD, SITE):
        for suffix in ("", "-wal"):
            shutil.copy(f"{tmp_path}/doorward.db{suffix}", f"{copy}{suffix}")
    return copy


@pytest.fixture
def restored(old_copy: Path, database: Database) -> Iterator[Database]:
    engine = encrypted_sqlite(old_copy, bytes(range(32)))
    yield Database(engine, database.clock)
    engine.dispose()


def today(vault: Vault, tmp_path: Path) -> Vault:
    """The vault as a restore would find it: today's ring, opened by a fresh process."""
    keys = tmp_path / "keys"
    return Vault.open(keys, FileCustodian(keys / "root.key"), vault.objects)


def test_an_old_copy_serves_the_living_and_not_the_erased(
    database: Database,
    restored: Database,
    vault: Vault,
    sealed: dict[str, bytes],
    tmp_path: Path,
) -> None:
    erase(database, vault)
    assert ratchet(database, vault).moved == 1
    with database.unit(GUARD, EVERY_SITE) as unit:
        key_set = export_key_set(unit, vault)
        assert b"person_2" not in key_set
    fresh = today(vault, tmp_path)
    with restored.unit(GUARD, SITE) as unit:
        for subject in ("person_1", "person_2"):
            with pytest.raises(Tampered, match="destroyed"):
                open_key(unit, fresh, subject)
    with restored.unit(GUARD, EVERY_SITE) as unit:
        adopted = adopt_key_set(unit, fresh, key_set)
        assert (adopted.fitted, adopted.erased) == (1, ("person_1",))
    with restored.unit(GUARD, SITE) as unit:
        assert unseal_for(unit, fresh, "person_2", THERE, sealed["person_2"]) == b"two"
        with pytest.raises(NotFound):
            unseal_for(unit, fresh, "person_1", HERE, sealed["person_1"])


def test_an_old_key_set_does_not_bring_the_erased_back(
    database: Database, restored: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        before = export_key_set(unit, vault)
    erase(database, vault)
    ratchet(database, vault)
    fresh = today(vault, tmp_path)
    with restored.unit(GUARD, EVERY_SITE) as unit, pytest.raises(Invalid, match="later turn"):
        adopt_key_set(unit, fresh, before)
    with restored.unit(GUARD, SITE) as unit, pytest.raises(Tampered, match="destroyed"):
        unseal_for(unit, fresh, "person_1", HERE, sealed["person_1"])


def test_without_a_ratchet_an_old_copy_still_opens_which_is_why_there_is_one(
    database: Database, restored: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    erase(database, vault)
    with restored.unit(GUARD, SITE) as unit:
        assert unseal_for(unit, today(vault, tmp_path), "person_1", HERE, sealed["person_1"]) == b"one"


def test_a_key_set_of_another_house_is_refused(
    database: Database, restored: Database, vault: Vault, sealed: dict[str, bytes]
) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        key_set = export_key_set(unit, vault)
    with restored.unit(GUARD, EVERY_SITE) as unit:
        unit.rows.execute(text("UPDATE vault_subject_keys SET key_id = 'x' WHERE subject_id = 'person_1'"))
        with pytest.raises(Invalid, match="another site"):
            adopt_key_set(unit, vault, key_set)
        with pytest.raises(Tampered):
            adopt_key_set(unit, vault, key_set[:-1])


def test_a_key_set_older_than_the_database_changes_nothing(
    database: Database, vault: Vault, sealed: dict[str, bytes]
) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        key_set = export_key_set(unit, vault)
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, "person_later")
    with database.unit(GUARD, EVERY_SITE) as unit, pytest.raises(Invalid, match="older than the database"):
        adopt_key_set(unit, vault, key_set)
    with database.unit(GUARD, SITE) as unit:
        open_key(unit, vault, "person_later")


def test_whoever_was_enrolled_in_a_restored_copy_stays(
    database: Database, restored: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    erase(database, vault)
    with restored.unit(GUARD, SITE) as unit:
        for number in range(9):  # so much was done with the copy that its log is the longer one
            make_subject_key(unit, vault, f"person_fresh{number}")
            record(unit, "thing.done")
    with database.unit(GUARD, EVERY_SITE) as unit:
        key_set = export_key_set(unit, vault)
    with restored.unit(GUARD, EVERY_SITE) as unit:
        assert adopt_key_set(unit, vault, key_set).erased == ("person_1",)
    with restored.unit(GUARD, SITE) as unit:
        for subject in ("person_2", "person_fresh0", "person_fresh8"):
            open_key(unit, vault, subject)


def test_a_key_set_from_before_a_turn_overwrites_no_good_key(
    database: Database, restored: Database, vault: Vault, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        before = export_key_set(unit, vault)
    ratchet(database, vault)
    with database.unit(GUARD, EVERY_SITE) as unit:
        newest = export_key_set(unit, vault)
    fresh = today(vault, tmp_path)
    with restored.unit(GUARD, EVERY_SITE) as unit:
        adopt_key_set(unit, fresh, newest)
        with pytest.raises(Invalid, match="later turn"):
            adopt_key_set(unit, fresh, before)
    with restored.unit(GUARD, SITE) as unit:
        assert unseal_for(unit, fresh, "person_2", THERE, sealed["person_2"]) == b"two"


def test_a_photo_dies_with_its_person(database: Database, vault: Vault, sealed: dict[str, bytes]) -> None:
    with database.unit(GUARD, SITE) as unit:
        photo_id = add_photo(unit, vault, "person_2", JPEG)
        token = grant_view(unit, vault, photo_id, purpose="guard-check")
    erase(database, vault, "person_2")
    with pytest.raises(NotFound), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, token)
