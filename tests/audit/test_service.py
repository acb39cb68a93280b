import ast
import json
import resource
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

import doorward_verify
from doorward.audit.model import Segment
from doorward.audit.rules import extends, includes, leaf_hash
from doorward.audit.service import (
    expire_segment,
    export,
    find_leaf,
    heads,
    latest_head,
    leaf_json,
    ledger_of,
    list_entries,
    prove_consistency,
    prove_inclusion,
    record,
    segment_before,
    sign_head,
    verify,
)
from doorward.core.errors import Conflict, Invalid, NotFound, Tampered, Unavailable
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault

from ..conftest import GUARD, NOON, SITE, SteppingClock

OTHER = "site_other"


def fill(database: Database, count: int, site: str = SITE, subject: str | None = None) -> None:
    with database.unit(GUARD, site) as unit:
        for number in range(count):
            record(unit, "thing.done", subject_id=subject, number=number)


def sign(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        sign_head(unit, vault.audit_signer())


def check(database: Database, vault: Vault) -> Any:
    with database.reading(GUARD, EVERY_SITE) as unit:
        return verify(unit, vault.audit_keys())


def change(database: Database, statement: str, **values: object) -> None:
    with database.unit(GUARD, EVERY_SITE) as unit:
        unit.rows.execute(text(statement), values)


def test_positions_count_up_and_a_failed_unit_leaves_no_entry(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, SITE) as unit:
        assert [record(unit, "a.done"), record(unit, "b.done")] == [0, 1]
    with pytest.raises(RuntimeError), database.unit(GUARD, SITE) as unit:
        record(unit, "c.done")
        raise RuntimeError
    with database.unit(GUARD, SITE) as unit:
        assert record(unit, "d.done") == 2
    assert check(database, vault).size == 3


def test_facts_must_be_plain(database: Database) -> None:
    with pytest.raises(TypeError), database.unit(GUARD, SITE) as unit:
        record(unit, "a.done", thing=object())


def test_proofs_lead_to_the_signed_head(database: Database, vault: Vault) -> None:
    fill(database, 11)
    sign(database, vault)
    fill(database, 9)
    sign(database, vault)
    with database.reading(GUARD, SITE) as unit:
        old, new = (signed.head for signed in heads(unit))
        assert (old.size, new.size) == (11, 20)
        for position in range(20):
            leaf = json.loads(json.dumps(leaf_json(find_leaf(unit, position), SITE)))["leaf"]
            proof = prove_inclusion(unit, position, 20)
            assert includes(position, 20, leaf_hash(leaf.encode()), proof.path, new.root)
        path = prove_consistency(unit, 11, 20).path
        assert extends(11, 20, path, (old.root, new.root))
        with pytest.raises(NotFound):
            prove_inclusion(unit, 3, 21)
        with pytest.raises(NotFound):
            find_leaf(unit, 20)


def test_a_head_is_signed_once_for_each_size(database: Database, vault: Vault) -> None:
    with database.unit(GUARD, SITE) as unit:
        with pytest.raises(NotFound):
            latest_head(unit)
        first = sign_head(unit, vault.audit_signer())
        assert sign_head(unit, vault.audit_signer()) == first == latest_head(unit)
    fill(database, 1)
    assert check(database, vault).heads == 1


def test_a_long_log_verifies_across_batches(database: Database, vault: Vault) -> None:
    fill(database, 1203)
    sign(database, vault)
    found = check(database, vault)
    assert (found.size, found.expired, found.heads) == (1203, 0, 1)


COLUMNS = ["site_id", "event", "actor", "subject_id", "facts"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_entry_is_named(database: Database, vault: Vault, column: str) -> None:
    fill(database, 8, subject="person_1")
    sign(database, vault)
    change(database, f"UPDATE audit_entries SET {column} = {column} || ' ' WHERE position = 5")
    with pytest.raises(Tampered, match="position 5") as caught:
        check(database, vault)
    assert caught.value.facts == {"position": 5}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 4), st.sampled_from(["facts", "event", "salt", "digest", "at_us"]), st.integers(0, 127))
def test_every_flipped_bit_of_an_entry_is_found(
    database: Database, vault: Vault, position: int, column: str, bit: int
) -> None:
    with database.reading(GUARD, EVERY_SITE) as unit:
        empty = unit.rows.scalar(text("SELECT count(*) FROM audit_entries")) == 0
    if empty:
        fill(database, 5, subject="person_1")
        sign(database, vault)
    where = {"position": position}
    with database.reading(GUARD, EVERY_SITE) as unit:
        old = unit.rows.scalar(text(f"SELECT {column} FROM audit_entries WHERE position = :position"), where)
    new: object
    if isinstance(old, int):
        new = old ^ (1 << bit % 50)
    else:
        raw = bytearray(old if isinstance(old, bytes) else old.encode())
        raw[bit // 8 % len(raw)] ^= 1 << bit % (8 if isinstance(old, bytes) else 7)
        new = bytes(raw) if isinstance(old, bytes) else raw.decode()
    update = f"UPDATE audit_entries SET {column} = :value WHERE position = :position"
    change(database, update, value=new, **where)
    try:
        with pytest.raises(Tampered):
            check(database, vault)
    finally:
        change(database, update, value=old, **where)
    check(database, vault)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM audit_entries WHERE position = 3", "missing at position 3"),
        ("DELETE FROM audit_entries WHERE position = 7", "ends at position 6"),
        ("DELETE FROM audit_nodes WHERE id = 1", "node of the tree"),
        (
            "UPDATE audit_nodes SET digest = (SELECT max(root) FROM audit_heads) WHERE id = 3",
            "node of the tree",
        ),
        ("UPDATE audit_frontier SET size = 9", "frontier"),
        ("DELETE FROM audit_frontier", "frontier"),
        ("UPDATE audit_heads SET root = signature", "signature"),
        ("UPDATE audit_heads SET size = 7", "signature"),
        ("UPDATE audit_heads SET key_id = 'audit-9-00000000'", "not ours"),
        ("UPDATE audit_heads SET signature = root", "signature"),
        (
            "UPDATE audit_entries SET site_id=NULL, event=NULL, actor=NULL, at_us=NULL, facts=NULL, salt=NULL"
            " WHERE position = 2",
            "lost its body without an expiry in the log at position 2",
        ),
    ],
)
def test_every_kind_of_tampering_is_told_apart(
    database: Database, vault: Vault, statement: str, words: str
) -> None:
    fill(database, 8)
    sign(database, vault)
    change(database, statement)
    with pytest.raises(Tampered, match=words):
        check(database, vault)


def test_a_rewrite_that_hashes_well_is_found_by_the_signed_root(database: Database, vault: Vault) -> None:
    fill(database, 4)
    sign(database, vault)
    fill(database, 4)
    sign(database, vault)
    for table in ("audit_entries", "audit_nodes", "audit_frontier"):
        change(database, f"DELETE FROM {table}")
    fill(database, 8)
    with pytest.raises(Tampered, match="between position 0 and 3"):
        check(database, vault)


def test_the_log_is_checked_while_others_write(database: Database, vault: Vault) -> None:
    fill(database, 5)
    sign(database, vault)
    with database.reading(GUARD, EVERY_SITE) as checking:
        assert verify(checking, vault.audit_keys()).size == 5
        fill(database, 2)
        assert verify(checking, vault.audit_keys()).size == 5, "one moment's log from end to end"


def test_an_expired_segment_leaves_everything_else_provable(
    database: Database, vault: Vault, clock: SteppingClock
) -> None:
    fill(database, 5, subject="person_1")
    fill(database, 2, site=OTHER)
    clock.advance(days=400)
    fill(database, 5, subject="person_1")
    with database.unit(GUARD, SITE) as unit:
        assert segment_before(unit, clock.now) is None
        with pytest.raises(Conflict, match="signed head"):
            expire_segment(unit, Segment(0, 4))
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        segment = segment_before(unit, clock.now)
        assert segment == Segment(0, 4)
        assert segment_before(unit, NOON) is None
        assert expire_segment(unit, segment) == 5
        assert expire_segment(unit, segment) == 0
        with pytest.raises(NotFound):
            find_leaf(unit, 2)
        with pytest.raises(Invalid):
            expire_segment(unit, Segment(4, 2))
    sign(database, vault)
    found = check(database, vault)
    assert (found.size, found.expired) == (13, 5)
    with database.unit(GUARD, SITE) as unit:
        ledger = ledger_of(unit, "person_1")
        assert [each.entry.position for each in ledger.entries] == [7, 8, 9, 10, 11]
        assert ledger.head is not None
        for each in ledger.entries:
            leaf = leaf_json(find_leaf(unit, each.entry.position), SITE)["leaf"].encode()
            assert each.proof is not None
            assert includes(each.proof.position, 13, leaf_hash(leaf), each.proof.path, ledger.head.head.root)


def test_nothing_new_expires_though_a_clock_was_set_back_after_it(
    database: Database, vault: Vault, clock: SteppingClock
) -> None:
    fill(database, 2)
    clock.advance(days=400)
    before = clock.now
    fill(database, 3)
    clock.advance(days=-300)
    fill(database, 1)
    clock.advance(days=300)
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        segment = segment_before(unit, before)
        assert segment == Segment(0, 5)
        assert expire_segment(unit, segment, before=before) == 3
        assert [find_leaf(unit, position).entry is not None for position in (2, 3, 4)] == [True] * 3
    sign(database, vault)
    assert check(database, vault).expired == 3


def test_an_entry_on_expiry_does_not_itself_expire(database: Database, vault: Vault) -> None:
    fill(database, 2)
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        expire_segment(unit, Segment(0, 1))
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        assert expire_segment(unit, Segment(0, 2)) == 0
    check(database, vault)


def test_an_expiry_covers_for_no_body_but_those_it_names(
    database: Database, vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, 3)
    fill(database, 1, site=OTHER)
    fill(database, 3)
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        assert expire_segment(unit, Segment(0, 6)) == 6
    sign(database, vault)
    check(database, vault)
    change(
        database,
        "UPDATE audit_entries SET site_id = NULL, event = NULL, actor = NULL, subject_id = NULL,"
        " at_us = NULL, facts = NULL, salt = NULL WHERE position = 3",
    )
    with pytest.raises(Tampered, match="without an expiry in the log at position 3"):
        check(database, vault)
    out = exported(database, EVERY_SITE, tmp_path / "out")
    (key,) = vault.audit_keys().values()
    assert doorward_verify.main([str(out), "--key", key.hex(), "--every-site"]) == 1
    assert "position 3 lost its body" in capsys.readouterr().out


def test_an_export_that_the_disk_refuses_leaves_no_copy_and_no_entry(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    fill(database, 3)
    sign(database, vault)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(Unavailable), database.unit(GUARD, SITE) as unit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
        try:
            export(unit, tmp_path / "copy")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "copy").exists()
    with database.unit(GUARD, SITE) as unit:
        assert "audit.exported" not in [
            entry.event for entry in list_entries(unit, PageRequest(None, 50)).items
        ]
        assert export(unit, tmp_path / "copy") > 3


def test_the_offline_verifier_says_what_an_export_does_not_show(
    database: Database, vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, 2)
    fill(database, 3, site=OTHER)
    sign(database, vault)
    (key,) = vault.audit_keys().values()
    part = exported(database, SITE, tmp_path / "part")
    assert doorward_verify.main([str(part), "--key", key.hex()]) == 0
    assert "3 entries are withheld" in capsys.readouterr().out
    assert doorward_verify.main([str(part), "--key", key.hex(), "--every-site"]) == 1
    whole = exported(database, EVERY_SITE, tmp_path / "whole")
    lines = [json.loads(line) for line in (whole / "entries.jsonl").read_text().splitlines()]
    hidden = {"position": 1, "digest": leaf_hash(lines[1]["leaf"].encode()).hex(), "why": "x"}
    for bad in (json.dumps(hidden), "[" * 100_000, "[1]"):
        text = [json.dumps(lines[0]), bad, *map(json.dumps, lines[2:])]
        (whole / "entries.jsonl").write_text("\n".join(text))
        assert doorward_verify.main([str(whole), "--key", key.hex()]) == 1


def test_a_site_sees_only_its_own_entries(database: Database, vault: Vault) -> None:
    fill(database, 3, subject="person_1")
    fill(database, 3, site=OTHER, subject="person_1")
    with database.unit(GUARD, OTHER) as unit:
        page = list_entries(unit, PageRequest(None, 2))
        assert [entry.position for entry in page.items] == [5, 4]
        assert page.items[0].at == NOON
        rest = list_entries(unit, PageRequest("4", 2))
        assert [entry.position for entry in rest.items] == [3]
        assert [
            entry.event for entry in list_entries(unit, PageRequest(None, 9), event="audit.read").items
        ] == [
            "audit.read",
            "audit.read",
        ]
        assert len(ledger_of(unit, "person_1").entries) == 3
        with pytest.raises(NotFound):
            find_leaf(unit, 0)
        with pytest.raises(Invalid):
            list_entries(unit, PageRequest("x", 2))


def test_the_offline_verifier_needs_only_the_export_and_the_key(
    database: Database, vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, 7)
    fill(database, 3, site=OTHER)
    sign(database, vault)
    with database.unit(GUARD, SITE) as unit:
        expire_segment(unit, Segment(0, 2))
    sign(database, vault)
    out = exported(database, EVERY_SITE, tmp_path / "all")
    (key,) = vault.audit_keys().values()
    assert doorward_verify.main([str(out), "--key", key.hex()]) == 0
    said = capsys.readouterr().out
    assert "12 entries, 2 signed heads" in said
    assert "3 entries expired, as the log itself declares" in said
    assert "last 1 entries" in said
    kept = tmp_path / "head.json"
    kept.write_text((out / "heads.jsonl").read_text().splitlines()[0])
    assert doorward_verify.main([str(out), "--key", key.hex(), "--head", str(kept)]) == 0
    assert doorward_verify.main([str(out), "--key", "00" * 32]) == 1
    part = exported(database, OTHER, tmp_path / "part")
    assert (part / "entries.jsonl").read_text().count("withheld") == 6
    assert doorward_verify.main([str(part), "--key", key.hex()]) == 0
    with pytest.raises(Conflict), database.unit(GUARD, SITE) as unit:
        export(unit, out)


def test_the_offline_verifier_finds_every_changed_character(
    database: Database, vault: Vault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, 6)
    sign(database, vault)
    with database.unit(GUARD, EVERY_SITE) as unit:
        expire_segment(unit, Segment(1, 1))
    sign(database, vault)
    out = exported(database, EVERY_SITE, tmp_path / "out")
    (key,) = vault.audit_keys().values()
    for name in ("entries.jsonl", "heads.jsonl"):
        whole = (out / name).read_text()
        lines = whole.splitlines()
        covered = lines[:7]
        for number in range(len(covered)):
            for broken in (
                [*lines[:number], *lines[number + 1 :]],
                [*lines[:number], lines[number].replace("1", "2"), *lines[number + 1 :]],
                [*lines[:number], "{}", *lines[number + 1 :]],
            ):
                if name == "heads.jsonl" and len(broken) < len(lines):
                    continue
                (out / name).write_text("\n".join(broken))
                assert doorward_verify.main([str(out), "--key", key.hex()]) == 1, (name, number)
        (out / name).write_text(whole)
    assert doorward_verify.main([str(out), "--key", key.hex()]) == 0
    (out / "heads.jsonl").write_text("")
    assert doorward_verify.main([str(out), "--key", key.hex()]) == 1
    assert "no signed head" in capsys.readouterr().out


def exported(database: Database, site: str, folder: Path) -> Path:
    with database.unit(GUARD, site) as unit:
        export(unit, folder)
    return folder


def test_the_offline_verifier_leans_on_no_part_of_doorward() -> None:
    tree = ast.parse(Path(doorward_verify.__file__).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
