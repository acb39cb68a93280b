import os
import stat
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from doorward.audit.service import ledger_of, list_entries
from doorward.core.errors import DoorwardError, Invalid, NotFound, Tampered, Unavailable
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor
from doorward.platform.db import Database
from doorward.platform.jobs import run_due
from doorward.platform.paging import page_request
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.rules import LARGEST_PHOTO, bucket_for, padded, unpadded
from doorward.vault.service import (
    FORGET_OBJECTS,
    Vault,
    add_photo,
    forget_objects,
    forget_photos,
    grant_view,
    list_photos,
    make_subject_key,
    redeem_view,
    sweep_objects,
)

from ..conftest import GUARD, SITE, SteppingClock

JPEG = b"\xff\xd8" + Random(7).randbytes(9000)
OTHER = Actor("staff_other", {SITE: EVERY_RIGHT})


@pytest.fixture
def photo_id(database: Database, vault: Vault) -> str:
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, "person_1")
        return add_photo(unit, vault, "person_1", JPEG)


def objects(tmp_path: Path) -> list[Path]:
    return sorted(path for path in (tmp_path / "objects").rglob("*") if path.is_file())


def run_jobs(database: Database, vault: Vault) -> int:
    return run_due(database, {FORGET_OBJECTS: lambda unit, facts: forget_objects(unit, vault, facts)})


def test_a_photo_is_shown_once_and_the_person_can_see_by_whom(
    database: Database, vault: Vault, photo_id: str
) -> None:
    with database.unit(GUARD, SITE) as unit:
        token = grant_view(unit, vault, photo_id, purpose="guard-check")
    with database.unit(GUARD, SITE) as unit:
        assert redeem_view(unit, vault, token) == JPEG
    with pytest.raises(NotFound), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, token)
    with database.unit(GUARD, SITE) as unit:
        told = [each.entry for each in ledger_of(unit, "person_1").entries]
    assert [entry.event for entry in told] == ["photo.added", "photo.view_granted", "photo.viewed"]
    assert told[2].actor == GUARD.id
    assert "guard-check" in told[2].facts


def test_a_grant_serves_nobody_else_nowhere_else_and_not_for_long(
    database: Database, vault: Vault, photo_id: str, clock: SteppingClock
) -> None:
    with database.unit(GUARD, SITE) as unit:
        token = grant_view(unit, vault, photo_id, purpose="guard-check")
        stored = unit.rows.scalar(text("SELECT token_hash FROM vault_view_grants"))
    assert token.encode() not in bytes(stored)
    for actor, site in ((OTHER, SITE), (GUARD, "site_other")):
        with pytest.raises(NotFound), database.unit(actor, site) as unit:
            redeem_view(unit, vault, token)
    with pytest.raises(NotFound), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, "made-up")
    clock.advance(minutes=2)
    with pytest.raises(NotFound), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, token)


@pytest.mark.parametrize("purpose", ["", "A", "for Ada Lovelace", "x" * 41])
def test_a_purpose_is_a_code_and_no_free_text(
    database: Database, vault: Vault, photo_id: str, purpose: str
) -> None:
    with pytest.raises(Invalid), database.unit(GUARD, SITE) as unit:
        grant_view(unit, vault, photo_id, purpose=purpose)


def test_another_site_has_no_such_photo(database: Database, vault: Vault, photo_id: str) -> None:
    with pytest.raises(NotFound), database.unit(GUARD, "site_other") as unit:
        grant_view(unit, vault, photo_id, purpose="guard-check")


def test_an_object_tells_neither_content_nor_size_and_is_ours_alone(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    (path,) = objects(tmp_path)
    raw = path.read_bytes()
    assert JPEG[100:200] not in raw
    assert len(raw) == 16 * 1024 + 29 + 33
    assert photo_id not in str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with database.unit(GUARD, SITE) as unit:
        token = grant_view(unit, vault, photo_id, purpose="guard-check")
    with pytest.raises(Tampered), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, token)
    path.unlink()
    with pytest.raises(NotFound), database.unit(GUARD, SITE) as unit:
        redeem_view(unit, vault, token)


def test_a_failed_unit_leaves_an_orphan_that_the_sweep_finds(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError), database.unit(GUARD, SITE) as unit:
        add_photo(unit, vault, "person_1", JPEG)
        raise RuntimeError
    assert len(objects(tmp_path)) == 2
    with database.unit(GUARD, EVERY_SITE) as unit:
        assert sweep_objects(unit, vault) == 0

    for path in objects(tmp_path):
        os.utime(path, (0, 0))
    with database.unit(GUARD, EVERY_SITE) as unit:
        assert sweep_objects(unit, vault) == 1
    with database.unit(GUARD, SITE) as unit:
        token = grant_view(unit, vault, photo_id, purpose="guard-check")
        assert redeem_view(unit, vault, token) == JPEG


def test_a_photo_whose_object_is_gone_is_told_until_it_is_forgotten(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    (path,) = objects(tmp_path)
    path.unlink()
    for _ in range(2):
        with database.unit(GUARD, EVERY_SITE) as unit:
            assert sweep_objects(unit, vault) == 0
    with database.unit(GUARD, SITE) as unit:
        forget_photos(unit, vault, "person_1")
    with database.unit(GUARD, EVERY_SITE) as unit:
        sweep_objects(unit, vault)
        told = list_entries(unit, page_request(limit=9), event="photos.missing").items
    assert [one.facts for one in told] == ['{"objects":1}'] * 2


def test_no_orphan_is_deleted_without_its_entry(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError), database.unit(GUARD, SITE) as unit:
        add_photo(unit, vault, "person_1", JPEG)
        raise RuntimeError
    for path in objects(tmp_path):
        os.utime(path, (0, 0))
    with database.unit(GUARD, SITE) as unit:
        refused = "WHEN NEW.event = 'photos.swept' BEGIN SELECT RAISE(ABORT, 'refused'); END"
        unit.rows.execute(text(f"CREATE TRIGGER refuse BEFORE INSERT ON audit_entries {refused}"))
    with pytest.raises(DoorwardError), database.unit(GUARD, EVERY_SITE) as unit:
        sweep_objects(unit, vault)
    assert len(objects(tmp_path)) == 2


def test_forgotten_photos_leave_the_disk_after_the_commit(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    with database.unit(GUARD, SITE) as unit:
        assert list_photos(unit, "person_1") == [photo_id]
        assert forget_photos(unit, vault, "person_1") == 1
        assert list_photos(unit, "person_1") == []
        assert forget_photos(unit, vault, "person_1") == 0
    assert run_jobs(database, vault) == 1
    assert objects(tmp_path) == []


def test_a_forgetting_that_failed_deletes_nothing(
    database: Database, vault: Vault, photo_id: str, tmp_path: Path
) -> None:
    name = objects(tmp_path)[0].name
    with database.unit(GUARD, SITE) as unit:
        forget_objects(unit, vault, {"names": [name]})
    assert len(objects(tmp_path)) == 1


def test_a_full_or_missing_disk_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        FolderObjects(tmp_path / "file").put("0" * 32, b"x")


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 31, "0" * 33, "G" * 32])
def test_a_name_that_we_did_not_make_reaches_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DoorwardError):
        FolderObjects(tmp_path).get(name)


@given(st.binary(max_size=70_000))
def test_padding_comes_off_again(content: bytes) -> None:
    assert unpadded(padded(content)) == content
    assert len(padded(content)) == bucket_for(len(content) + 4)


def test_buckets_are_few_and_a_giant_is_refused() -> None:
    assert [bucket_for(size) // 1024 for size in (1, 16_385, 24_577, 40_000, 50_000)] == [16, 24, 32, 48, 64]
    with pytest.raises(Invalid):
        padded(bytes(LARGEST_PHOTO + 1))
