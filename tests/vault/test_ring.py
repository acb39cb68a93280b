import json
import os
import stat
from pathlib import Path

import pytest

from doorward.core.errors import Conflict, Denied, DoorwardError, Invalid, Tampered, Unavailable
from doorward.vault.drivers.custodians import FileCustodian, PassphraseCustodian, make_key_file
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.model import KeyName, Place, Purpose, Use
from doorward.vault.ports import Custodian
from doorward.vault.rules import key_names
from doorward.vault.service import Vault

HERE = Place("staff", "secret", "staff_1")
PHRASE = "five words that nobody guesses"


def opened(tmp_path: Path, custodian: Custodian) -> Vault:
    return Vault.open(tmp_path / "keys", custodian, FolderObjects(tmp_path / "objects"))


def by_file(tmp_path: Path) -> FileCustodian:
    return FileCustodian(tmp_path / "keys" / "root.key")


def test_a_ring_opens_again_with_its_file(vault: Vault, tmp_path: Path) -> None:
    sealed = vault.seal(Purpose.STAFF, HERE, b"x")
    again = opened(tmp_path, by_file(tmp_path))
    assert again.unseal(Purpose.STAFF, HERE, sealed) == b"x"
    assert again.public_keys(Purpose.GATES) == vault.public_keys(Purpose.GATES)
    for path in ("keyring.json", "root.key", "keyring.lock"):
        assert stat.S_IMODE((tmp_path / "keys" / path).stat().st_mode) == 0o600


def test_a_ring_is_never_made_over_another(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        Vault.create(tmp_path / "keys", by_file(tmp_path), vault.objects)


def test_the_ring_holds_no_key_in_the_clear(vault: Vault, tmp_path: Path) -> None:
    raw = (tmp_path / "keys" / "keyring.json").read_bytes()
    root = (tmp_path / "keys" / "root.key").read_bytes()
    keys = [key for keys in vault.ring.read().keys.values() for key in keys.values()]
    assert len(keys) == len(key_names()) == len(set(keys))
    for secret in [root, *keys]:
        assert secret not in raw
        assert secret.hex().encode() not in raw
    assert not any(repr(key) in repr(vault.ring.read()) for key in keys)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o700, 0o604, 0o601])
def test_a_key_file_that_others_may_touch_is_refused(vault: Vault, tmp_path: Path, mode: int) -> None:
    (tmp_path / "keys" / "root.key").chmod(mode)
    with pytest.raises(Denied, match="open to others: give it mode 0600"):
        opened(tmp_path, by_file(tmp_path))


def test_a_read_only_key_file_will_do(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "keys" / "root.key").chmod(0o400)
    opened(tmp_path, by_file(tmp_path))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_file_of_somebody_else_is_refused(vault: Vault, tmp_path: Path) -> None:
    os.chown(tmp_path / "keys" / "root.key", 12345, 12345)
    with pytest.raises(Denied, match="another user"):
        opened(tmp_path, by_file(tmp_path))


def test_a_key_file_must_be_there_plain_and_whole(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "root.key"
    raw = path.read_bytes()
    for content in (raw[:-1], raw + b"\n", b""):
        path.write_bytes(content)
        with pytest.raises(Invalid, match="32 random bytes"):
            opened(tmp_path, by_file(tmp_path))
    path.unlink()
    with pytest.raises(Unavailable, match="missing"):
        opened(tmp_path, by_file(tmp_path))
    path.symlink_to(tmp_path / "elsewhere")
    make_key_file(tmp_path / "elsewhere")
    with pytest.raises(Denied, match="plain file"):
        opened(tmp_path, by_file(tmp_path))
    path.unlink()
    path.mkdir()
    with pytest.raises(DoorwardError):
        opened(tmp_path, by_file(tmp_path))


def test_a_passphrase_opens_and_another_does_not(tmp_path: Path) -> None:
    made = Vault.create(tmp_path / "keys", PassphraseCustodian(PHRASE), FolderObjects(tmp_path / "o"))
    sealed = made.seal(Purpose.STAFF, HERE, b"x")
    assert opened(tmp_path, PassphraseCustodian(PHRASE)).unseal(Purpose.STAFF, HERE, sealed) == b"x"
    with pytest.raises(Denied, match="does not open with this root key or passphrase"):
        opened(tmp_path, PassphraseCustodian(PHRASE + "."))
    with pytest.raises(Invalid, match="not keys"):
        opened(tmp_path, by_file(tmp_path))
    path = tmp_path / "keys" / "keyring.json"
    content = json.loads(path.read_bytes())
    content["custody"]["memory_kib"] = 8
    path.write_text(json.dumps(content))
    with pytest.raises(Invalid, match="costs"):
        opened(tmp_path, PassphraseCustodian(PHRASE))


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="12 characters"):
        PassphraseCustodian("short").begin()
    with pytest.raises(Invalid, match=r"keys\.file"):
        PassphraseCustodian(PHRASE).root_key({"kind": "file"})


@pytest.mark.parametrize(
    "phrase",
    [
        "short",
        "aaaaaaaaaaaa",
        "abcdefghijklmnop",
        "123456789012345",
        "qwertyuiopasdfgh",
        "abcabcabcabcabc",
        "passwordpassword",
        "password1234",
        "abababcdcdcdabcd",
    ],
)
def test_a_passphrase_that_is_guessed_early_is_refused(phrase: str) -> None:
    with pytest.raises(Invalid, match="five words do"):
        PassphraseCustodian(phrase).begin()


@pytest.mark.parametrize("phrase", ["correct horse battery", "Zaun-Mond 7 Esel", "fünf Wörter die niemand"])
def test_a_passphrase_of_some_words_is_taken(phrase: str) -> None:
    assert PassphraseCustodian(phrase).begin()[1]["kind"] == "passphrase"


def test_a_passphrase_opens_however_its_accents_are_spelled(tmp_path: Path) -> None:
    one, other = "f\u00fcnf W\u00f6rter rauschen leise", "fu\u0308nf Wo\u0308rter rauschen leise"
    made = Vault.create(tmp_path / "keys", PassphraseCustodian(one), FolderObjects(tmp_path / "o"))
    sealed = made.seal(Purpose.STAFF, HERE, b"x")
    assert opened(tmp_path, PassphraseCustodian(other)).unseal(Purpose.STAFF, HERE, sealed) == b"x"


def test_another_root_key_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    make_key_file(tmp_path / "other.key")
    with pytest.raises(Denied):
        opened(tmp_path, FileCustodian(tmp_path / "other.key"))


def test_a_ring_that_somebody_changed_is_found_out(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "keys" / "keyring.json"
    whole = json.loads(path.read_bytes())
    swapped = [*whole["keys"]]
    swapped[0] = {**swapped[0], "wrapped": swapped[1]["wrapped"]}
    changes: tuple[dict[str, object], ...] = (
        {"keys": whole["keys"][1:]},
        {"keys": swapped},
        {"publics": []},
        {"mac": whole["mac"][:-2] + "AA"},
        {"format": "x"},
        {"keys": None},
    )
    for change in changes:
        path.write_text(json.dumps(whole | change))
        with pytest.raises(Tampered):
            opened(tmp_path, by_file(tmp_path))
    path.write_text("{")
    with pytest.raises(Tampered):
        opened(tmp_path, by_file(tmp_path))
    path.unlink()
    with pytest.raises(Unavailable):
        opened(tmp_path, by_file(tmp_path))
    path.mkdir()
    with pytest.raises(Unavailable):
        opened(tmp_path, by_file(tmp_path))


def test_a_newer_version_adds_the_keys_it_wants(vault: Vault, tmp_path: Path) -> None:
    name = KeyName(Use.SIGN, Purpose.STAFF)
    with vault.ring.change() as ring:
        del ring.keys[name]
    again = opened(tmp_path, by_file(tmp_path))
    assert again.signer(Purpose.STAFF).key_id in again.public_keys(Purpose.STAFF)


def test_a_signature_fits_its_listed_public_key(vault: Vault) -> None:
    signer = vault.signer(Purpose.GATES)
    assert vault.public_keys(Purpose.GATES) == {signer.key_id: signer.public_key}
    vault.signing_key(Purpose.GATES).public_key().verify(signer.sign(b"m"), b"m")
    assert vault.signer(Purpose.AUDIT).public_key != signer.public_key
