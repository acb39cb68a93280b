"""Damaged, cut short, missing or foreign files: one clear sentence and an exit code, nothing made anew."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorward.app.schema import upgrade
from doorward.core.errors import Invalid, Tampered
from doorward.core.programs import EXIT_CODES
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.service import add_photo
from doorward.vault.service.ring import KeyRing
from tests.faults.site import Site

UNAVAILABLE, TAMPERED = EXIT_CODES["unavailable"], EXIT_CODES["tampered"]
Damage = Callable[[Path], None]


def flip(path: Path, at: float = 0.5, count: int = 64) -> None:
    """Turn the bits of some bytes in the middle."""
    content = bytearray(path.read_bytes())
    start = int(len(content) * at)
    content[start : start + count] = bytes(byte ^ 0xFF for byte in content[start : start + count])
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def keep_first_page(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4096])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def letter(path: Path) -> None:
    path.write_text("Dear Sir or Madam,\n" * 400)


def remove(path: Path) -> None:
    path.unlink()


def flip_first(path: Path) -> None:
    flip(path, at=0.0)


OF_A_DATABASE = [flip_first, keep_first_page, halve, empty, garbage, letter, remove]


def complaints(site: Site, *words: str) -> tuple[int | None, str]:
    """A command's exit code, once its complaint is seen to be one plain sentence or two."""
    code, said, complaint = site.run(*words)
    assert said == ""
    assert complaint.strip().endswith(".") and "Traceback" not in complaint and "Error" not in complaint
    return code, complaint


@pytest.mark.parametrize("damage", OF_A_DATABASE)
def test_a_damaged_or_missing_database_is_said_in_a_sentence_and_never_made_anew(
    site: Site, damage: Damage
) -> None:
    damage(site.database)
    before = site.database.read_bytes() if site.database.exists() else None
    for words in (("audit", "verify"), ("events",), ("serve",)):
        assert complaints(site, *words)[0] in (UNAVAILABLE, TAMPERED)
    assert (site.database.read_bytes() if site.database.exists() else None) == before


def test_a_database_that_holds_no_tables_is_not_filled_with_empty_ones(site: Site) -> None:
    with site.opened() as house:
        key = house.vault.database_keys()[0]
    site.database.unlink()
    engine = encrypted_sqlite(site.database, key)
    engine.connect().close()
    engine.dispose()
    site.database.chmod(0o600)
    assert site.database.stat().st_size > 0
    code, complaint = complaints(site, "audit", "verify")
    assert code == UNAVAILABLE and "restore a backup" in complaint


def test_a_database_under_another_key_is_refused(site: Site) -> None:
    site.database.unlink()
    engine = encrypted_sqlite(site.database, os.urandom(32))
    upgrade(engine)
    engine.dispose()
    site.database.chmod(0o600)
    assert complaints(site, "audit", "verify")[0] == TAMPERED


def test_a_database_that_is_damaged_under_a_running_server_opens_nothing(site: Site) -> None:
    whole = site.database.read_bytes()
    with site.serving() as server:
        for place in range(1, 20):
            flip(site.database, at=place / 20)
        answer = server.ask(site.sighting())
        assert (answer.status_code, answer.json()["type"]) == (500, "urn:doorward:problem:tampered")
        assert "restore a backup" in answer.json()["detail"]
        assert server.client.get("/health").status_code == 200
    site.database.write_bytes(whole)
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens


@pytest.mark.parametrize("damage", [flip_first, flip, halve, empty, garbage, letter, remove])
@pytest.mark.parametrize("name", ["keyring.json", "root.key"])
def test_a_damaged_key_ring_or_root_key_is_said_in_a_sentence(site: Site, name: str, damage: Damage) -> None:
    before = (site.folder / "keys" / name).read_bytes()
    damage(site.folder / "keys" / name)
    code, complaint = complaints(site, "events")
    if name == "keyring.json":
        assert code == (UNAVAILABLE if damage is remove else TAMPERED)
    else:
        assert code in (EXIT_CODES["invalid"], EXIT_CODES["denied"], UNAVAILABLE)
    assert "key" in complaint
    assert (site.folder / "keys" / name).exists() == (damage is not remove)
    (site.folder / "keys" / name).write_bytes(before)
    (site.folder / "keys" / name).chmod(0o600)
    assert site.run("events")[0] == 0


def test_no_part_of_the_key_ring_can_be_changed_unnoticed(site: Site) -> None:
    path = site.folder / "keys" / "keyring.json"
    ring = json.loads(path.read_bytes())
    custodian = FileCustodian(site.folder / "keys" / "root.key")
    values: list[Any] = [None, 7, "x", [], {}, {"kind": "file", "x": 1}, {"kind": "passphrase"}]
    for name in ring:
        for value in values:
            path.write_text(json.dumps(ring | {name: value}))
            with pytest.raises((Tampered, Invalid), match=r"key ring"):
                KeyRing(site.folder / "keys", custodian).read()


def test_a_key_ring_that_goes_away_under_a_running_server_keeps_the_gate_shut_until_it_is_back(
    site: Site,
) -> None:
    path = site.folder / "keys" / "keyring.json"
    whole = path.read_bytes()
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens
        path.unlink()
        assert server.ask(site.sighting()).status_code == 503
        path.write_bytes(whole)
        assert site.permit(server.ask(site.sighting())).opens


@pytest.mark.parametrize(("damage", "status"), [(flip, 500), (halve, 500), (empty, 500), (remove, 404)])
def test_a_damaged_photo_is_said_and_everything_else_goes_on(site: Site, damage: Damage, status: int) -> None:
    with site.opened() as house, house.unit() as unit:
        photo_id = add_photo(unit, house.vault, site.facts.person_id, b"\xff\xd8 a picture")
    [path] = [path for path in (site.folder / "data" / "objects").glob("*/*") if path.is_file()]
    damage(path)
    with site.serving() as server:
        leave = server.post(f"/vault/photos/{photo_id}/grants", {"purpose": "guard-check"}).json()
        answer = server.post("/vault/views", leave)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["detail"].endswith(".")
        assert site.permit(server.ask(site.sighting())).opens
