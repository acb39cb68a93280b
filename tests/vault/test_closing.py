"""Erased people stay erased on the disk: in a log that is cut back, in older copies with today's ring."""

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.core.errors import DoorwardError, Tampered
from doorward.platform.checkpoints import empty_log
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite, postgres
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.service import (
    LogCloser,
    Vault,
    begin_due_ratchets,
    erase_subject,
    half_done,
    make_subject_key,
    seal_for,
    turn_half_done,
    unseal_for,
    vault_movers,
)
from doorward.vault.service.ring import KeyRing

from ..conftest import GUARD, SITE, SteppingClock

HERE = Place("people", "name", "person_1")
PEOPLE = KeyName(Use.WRAP, Purpose.PEOPLE)


@pytest.fixture
def sealed(database: Database, vault: Vault) -> bytes:
    with database.unit(GUARD, SITE) as unit:
        make_subject_key(unit, vault, "person_1")
        return seal_for(unit, vault, "person_1", HERE, b"Zelda")


def forget(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, SITE) as unit:
        erase_subject(unit, vault, "person_1")


def commits(log: Path) -> list[int]:
    """Where each transaction of a write-ahead log ends."""
    raw = log.read_bytes() if log.exists() else b""
    frame = 24 + (struct.unpack(">I", raw[8:12])[0] if raw else 0)
    starts = range(32, len(raw) - frame + 1, frame)
    return [start + frame for start in starts if struct.unpack(">I", raw[start + 4 : start + 8])[0]]


def opens_somebody(folder: Path, copy: Path, cut_at: int, vault: Vault, sealed: bytes) -> bool:
    """Whether the stolen disk, its log cut there, opens the name with today's ring."""
    thief = folder / f"thief{cut_at}"
    thief.mkdir()
    shutil.copy(copy, thief / "doorward.db")
    log = Path(f"{copy}-wal")
    if log.exists():
        (thief / "doorward.db-wal").write_bytes(log.read_bytes()[:cut_at])
    engine = encrypted_sqlite(thief / "doorward.db", bytes(range(32)))
    keys = folder / "keys"
    ring = Vault.open(keys, FileCustodian(keys / "root.key"), vault.objects)
    try:
        with Database(engine, SteppingClock()).reading(GUARD, SITE) as unit:
            return unseal_for(unit, ring, "person_1", HERE, sealed) == b"Zelda"
    except DoorwardError:
        return False
    finally:
        engine.dispose()


def size_of(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def is_found(folder: Path, vault: Vault, sealed: bytes) -> bool:
    file = folder / "doorward.db"
    cuts = commits(Path(f"{file}-wal")) or [0]
    return any(opens_somebody(folder, file, cut, vault, sealed) for cut in cuts)


def test_after_an_erasure_the_log_of_the_file_is_emptied_and_cannot_be_cut_back(
    database: Database, vault: Vault, sealed: bytes, tmp_path: Path
) -> None:
    forget(database, vault)
    assert is_found(tmp_path, vault, sealed), "which is why the log is emptied"
    for place in tmp_path.glob("thief*"):
        shutil.rmtree(place)
    closer = LogCloser()
    assert closer.look(database)
    assert size_of(tmp_path / "doorward.db-wal") == 0
    assert not is_found(tmp_path, vault, sealed)
    assert not closer.look(database), "once is enough"


def test_a_reader_holds_the_emptying_up_and_it_is_tried_again(
    database: Database, vault: Vault, sealed: bytes, tmp_path: Path
) -> None:
    closer = LogCloser()
    with database.reading(GUARD, SITE) as unit:
        unseal_for(unit, vault, "person_1", HERE, sealed)  # a snapshot from before
        forget(database, vault)
        assert not closer.look(database)
        with database.unit(GUARD, SITE):
            assert not empty_log(database.engine), "nor does it wait for a writer"
    assert closer.look(database)
    assert size_of(tmp_path / "doorward.db-wal") == 0


def test_the_log_of_postgres_is_left_to_it() -> None:
    engine = postgres("postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert empty_log(engine)
    engine.dispose()


def test_minutes_after_an_erasure_no_older_copy_opens_with_todays_ring(
    database: Database, vault: Vault, sealed: bytes, clock: SteppingClock, tmp_path: Path
) -> None:
    with database.unit(GUARD, SITE):
        for suffix in ("", "-wal"):
            shutil.copy(f"{tmp_path}/doorward.db{suffix}", f"{tmp_path}/copy.db{suffix}")
    whole = Path(f"{tmp_path}/copy.db-wal").stat().st_size
    forget(database, vault)
    assert opens_somebody(tmp_path, tmp_path / "copy.db", whole, vault, sealed)
    clock.advance(minutes=2)
    movers = vault_movers(vault)
    with database.unit(GUARD, SITE) as unit:
        assert begin_due_ratchets(unit, vault, movers) == [PEOPLE]
    while half_done(vault, clock.now):
        turn_half_done(database, vault, movers)
    shutil.rmtree(tmp_path / f"thief{whole}")
    assert not opens_somebody(tmp_path, tmp_path / "copy.db", whole, vault, sealed)


class Seconds:
    """A clock that only ever goes on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def held(vault: Vault, tmp_path: Path) -> tuple[Vault, Seconds, Callable[[], bool]]:
    """A process that has read the ring, and whether the first wrapping key is anywhere in it."""
    seconds, keys = Seconds(), tmp_path / "keys"
    here = Vault(KeyRing(keys, FileCustodian(keys / "root.key"), monotonic=seconds), vault.objects)
    first = here.ring.read().keys[PEOPLE][1]

    def is_held() -> bool:
        kept = vars(here.ring)["_before"]
        return first in repr_of(here.ring.read().keys) + repr_of(kept[0].keys if kept else {})

    return here, seconds, is_held


def repr_of(keys: dict[KeyName, dict[int, bytes]]) -> list[bytes]:
    return [raw for generations in keys.values() for raw in generations.values()]


def test_a_destroyed_key_leaves_memory_after_half_a_minute_whatever_is_read(
    vault: Vault, held: tuple[Vault, Seconds, Callable[[], bool]]
) -> None:
    here, seconds, is_held = held
    sealed = here.wrap(Purpose.PEOPLE, HERE, b"key")
    with vault.ring.change() as ring:
        ring.add(PEOPLE)
        ring.destroy(PEOPLE, 1)
    here.newest(KeyName(Use.SEAL, Purpose.STAFF))
    assert here.unwrap(Purpose.PEOPLE, HERE, sealed) == b"key", "a reader may hold a snapshot from before"
    seconds.now = 29.0
    here.newest(KeyName(Use.SEAL, Purpose.STAFF))
    assert is_held()
    seconds.now = 30.0
    here.newest(KeyName(Use.SEAL, Purpose.STAFF))
    assert not is_held()
    with pytest.raises(Tampered, match="destroyed"):
        here.unwrap(Purpose.PEOPLE, HERE, sealed)
