import fcntl
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from doorward.audit.service import list_entries
from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Conflict, Denied, DoorwardError, Invalid, Unavailable
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database
from doorward.platform.paging import page_request
from doorward.vault.drivers.custodians import FileCustodian, PassphraseCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.ports import Custodian, Custody
from doorward.vault.service import Vault, announce_root, change_root, rotate_root
from doorward.vault.service.handover import SUITE
from doorward.vault.service.ring_content import derive

from ..conftest import GUARD

HERE = Place("staff", "secret", "staff_1")
PHRASE = "five words that nobody guesses"
OTHER = "six other words that nobody guesses"


def opened(keys: Path, custodian: Custodian, *, stays: bool = False) -> Vault:
    vault = Vault.open(keys, custodian, FolderObjects(keys.parent / "objects"))
    if stays:
        vault.ring.stay()
    return vault


@pytest.fixture
def keys(vault: Vault, tmp_path: Path) -> Path:
    return tmp_path / "keys"


def by_file(keys: Path, *, replacing: bool = False) -> FileCustodian:
    return FileCustodian(keys / "root.key", replacing=replacing)


def test_a_running_process_follows_the_ring_to_every_new_root(database: Database, keys: Path) -> None:
    running = opened(keys, by_file(keys), stays=True)
    sealed = running.seal(Purpose.STAFF, HERE, b"x")
    for custodian in (PassphraseCustodian(PHRASE), PassphraseCustodian(OTHER), FileCustodian(keys / "b.key")):
        rotate_root(database, opened_now(keys, custodian), custodian)
        assert running.unseal(Purpose.STAFF, HERE, sealed) == b"x"
        with running.ring.change() as ring:  # and it can write the ring under the new root
            assert ring.keys
    assert opened(keys, FileCustodian(keys / "b.key")).unseal(Purpose.STAFF, HERE, sealed) == b"x"
    assert not list((keys / "running").glob("*.sealed"))


def test_a_process_that_slept_through_two_new_roots_is_handed_the_last(
    database: Database, keys: Path
) -> None:
    running = opened(keys, by_file(keys), stays=True)
    sealed = running.seal(Purpose.STAFF, HERE, b"x")
    rotate_root(database, opened(keys, by_file(keys)), PassphraseCustodian(PHRASE))
    rotate_root(database, opened(keys, PassphraseCustodian(PHRASE)), PassphraseCustodian(OTHER))
    assert running.unseal(Purpose.STAFF, HERE, sealed) == b"x"
    rotate_root(database, opened(keys, PassphraseCustodian(OTHER)), PassphraseCustodian(PHRASE))
    assert running.unseal(Purpose.STAFF, HERE, sealed) == b"x"
    assert {one.suffix for one in (keys / "running").iterdir()} == {".public"}


def opened_now(keys: Path, after: Custodian) -> Vault:
    """The ring as somebody at the console opens it before it is put under `after`."""
    kind = json.loads((keys / "keyring.json").read_text())["custody"]["kind"]
    for custodian in (PassphraseCustodian(PHRASE), PassphraseCustodian(OTHER), by_file(keys)):
        try:
            return opened(keys, custodian)
        except (Denied, Invalid):
            continue
    raise AssertionError(kind)


def test_a_process_that_did_not_stay_is_shut_out_by_a_new_root(database: Database, keys: Path) -> None:
    passing = opened(keys, by_file(keys))
    rotate_root(database, opened(keys, by_file(keys)), PassphraseCustodian(PHRASE))
    with pytest.raises(Invalid, match=r"keys\.passphrase"):
        passing.newest(next(iter(passing.ring.read().keys)))


def test_nobody_without_the_root_is_handed_the_next_one(database: Database, vault: Vault, keys: Path) -> None:
    stranger = X25519PrivateKey.generate().public_key().public_bytes_raw()
    running = opened(keys, by_file(keys), stays=True)
    (honest,) = (keys / "running").glob("*.public")
    told = json.loads(honest.read_text())
    forged = keys / "running" / "aaaa.public"
    with forged.open("w+") as held:
        json.dump({"public": to_text(stranger), "mac": told["mac"]}, held)
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        rotate_root(database, vault, PassphraseCustodian(PHRASE))
    assert [one.stem for one in (keys / "running").glob("*.sealed")] == [honest.stem]
    assert running.generations(next(iter(running.ring.read().keys)))


def test_a_running_process_takes_no_root_from_whoever_does_not_hold_the_present_one(
    database: Database, vault: Vault, keys: Path, tmp_path: Path
) -> None:
    running = opened(keys, by_file(keys), stays=True)
    name = next(iter(running.ring.read().keys))
    (ours,) = (keys / "running").glob("*.public")
    strange = Vault.create(tmp_path / "strange", PassphraseCustodian(OTHER), FolderObjects(tmp_path / "o"))
    there = strange.ring.read()
    root = derive(PassphraseCustodian(OTHER).root_key(there.custody), there.ring_id)
    public = X25519PublicKey.from_public_bytes(from_text(json.loads(ours.read_text())["public"]))
    sealed = SUITE.encrypt(root.raw, public, there.ring_id.encode())
    line = {"ring": there.ring_id, "sealed": to_text(sealed), "mac": to_text(bytes(32))}
    ours.with_suffix(".sealed").write_text(json.dumps(line))
    honest = (keys / "keyring.json").read_bytes()
    (keys / "keyring.json").write_bytes((tmp_path / "strange" / "keyring.json").read_bytes())
    with pytest.raises(DoorwardError):
        running.generations(name)
    (keys / "keyring.json").write_bytes(honest)
    ours.with_suffix(".sealed").unlink()
    rotate_root(database, opened(keys, by_file(keys)), PassphraseCustodian(PHRASE))
    assert running.generations(name), "the true root still comes through"


def test_a_change_that_was_not_done_does_not_bar_the_way_to_the_next(
    database: Database, vault: Vault, keys: Path
) -> None:
    running = opened(keys, by_file(keys), stays=True)
    (keys / "keyring.json.new").mkdir()
    with pytest.raises(Unavailable):
        rotate_root(database, vault, PassphraseCustodian(OTHER))
    (keys / "keyring.json.new").rmdir()
    rotate_root(database, vault, PassphraseCustodian(PHRASE))
    assert running.ring.custodian == "passphrase"
    assert list((keys / "running").glob("*.sealed")) == []


def test_what_a_dead_process_left_is_swept_and_handed_nothing(
    database: Database, vault: Vault, keys: Path
) -> None:
    running = opened(keys, by_file(keys), stays=True)
    (left,) = (keys / "running").glob("*.public")
    copy = left.read_bytes()
    del running
    assert not left.exists()
    left.write_bytes(copy)
    opened(keys, by_file(keys), stays=True)
    assert not left.exists()
    left.write_bytes(copy)
    rotate_root(database, vault, PassphraseCustodian(PHRASE))
    assert not list((keys / "running").iterdir())


def test_a_fresh_key_takes_the_files_place_and_the_old_one_opens_nothing(
    database: Database, vault: Vault, keys: Path
) -> None:
    old = (keys / "root.key").read_bytes()
    rotate_root(database, vault, by_file(keys, replacing=True))
    assert (keys / "root.key").read_bytes() != old
    assert not (keys / "root.key.next").exists()
    opened(keys, by_file(keys))
    (keys / "old.key").write_bytes(old)
    (keys / "old.key").chmod(0o600)
    with pytest.raises(Denied):
        opened(keys, FileCustodian(keys / "old.key"))


class CutShort:
    """A custodian whose machine loses power between the ring and its key file."""

    def __init__(self, inner: FileCustodian) -> None:
        self._inner = inner

    @property
    def is_unsettled(self) -> bool:
        return False

    def begin(self) -> tuple[bytes, Custody]:
        return self._inner.begin()

    def root_key(self, custody: Custody) -> bytes:
        return self._inner.root_key(custody)

    def settle(self, custody: Custody) -> None:
        return None


def test_a_replacement_cut_short_is_finished_at_the_next_start(
    database: Database, vault: Vault, keys: Path
) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"x")
    rotate_root(database, vault, CutShort(by_file(keys, replacing=True)))
    assert (keys / "root.key.next").exists()
    assert opened(keys, by_file(keys)).unseal(Purpose.STAFF, HERE, sealed) == b"x"
    assert not (keys / "root.key.next").exists()
    assert opened(keys, by_file(keys)).unseal(Purpose.STAFF, HERE, sealed) == b"x"


def test_a_replacement_cut_short_before_the_ring_changed_changes_nothing(
    database: Database, vault: Vault, keys: Path
) -> None:
    by_file(keys, replacing=True).begin()
    opened(keys, by_file(keys))
    rotate_root(database, opened(keys, by_file(keys)), by_file(keys, replacing=True))
    opened(keys, by_file(keys))
    assert not (keys / "root.key.next").exists()


def test_of_two_that_change_the_root_at_once_the_second_is_refused(
    database: Database, vault: Vault, keys: Path
) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"x")
    first, second = opened(keys, by_file(keys)), opened(keys, by_file(keys))
    with database.unit(GUARD, EVERY_SITE) as unit:
        loser = announce_root(unit, first, by_file(keys, replacing=True))
        winner = announce_root(unit, second, by_file(keys, replacing=True))
    with pytest.raises(Conflict), database.unit(GUARD, EVERY_SITE) as unit:
        change_root(unit, first, loser)  # its key file was replaced: the ring must never go under that key
    with database.unit(GUARD, EVERY_SITE) as unit:
        change_root(unit, second, winner)
    with pytest.raises(Conflict), database.unit(GUARD, EVERY_SITE) as unit:
        change_root(unit, first, loser)
    assert opened(keys, by_file(keys)).unseal(Purpose.STAFF, HERE, sealed) == b"x"


def test_a_ring_that_the_disk_refused_stays_under_its_root_for_the_running_process(
    database: Database, vault: Vault, keys: Path
) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"x")
    blocker = keys / "keyring.json.new"
    blocker.mkdir()
    with pytest.raises(Unavailable):
        rotate_root(database, vault, PassphraseCustodian(PHRASE))
    blocker.rmdir()
    with vault.ring.change() as ring:
        ring.add(KeyName(Use.SEAL, Purpose.STAFF))
    assert vault.unseal(Purpose.STAFF, HERE, sealed) == b"x"
    assert vault.ring.custodian == "file"
    rotate_root(database, vault, PassphraseCustodian(PHRASE))
    assert opened(keys, PassphraseCustodian(PHRASE)).unseal(Purpose.STAFF, HERE, sealed) == b"x"


def test_no_root_changes_without_its_entry_though_the_last_commit_was_lost(
    database: Database, vault: Vault, keys: Path
) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        following = announce_root(unit, vault, by_file(keys, replacing=True))
    with pytest.raises(Unavailable), database.unit(GUARD, EVERY_SITE) as unit:
        change_root(unit, vault, following)
        raise Unavailable("The commit is lost.")
    with database.unit(GUARD, EVERY_SITE) as unit:
        [told] = [entry for entry in list_entries(unit, page_request()).items if "root" in entry.event]
    assert told.event == "vault.root_ends"
    assert f'"next":"{vault.ring.read().ring_id}"' in told.facts
    opened(keys, by_file(keys))
