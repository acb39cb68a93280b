"""A copy of the log that can be checked without us."""

import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from doorward.audit import store
from doorward.audit.model import Leaf, SignedHead
from doorward.audit.rules import entry_bytes
from doorward.audit.service.recording import record, written
from doorward.core.errors import Conflict, Unavailable
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Unit

ENTRIES, HEADS = "entries.jsonl", "heads.jsonl"


def export(unit: Unit, folder: Path) -> int:
    """Write entries and heads for the offline verifier into a new folder; returns how many positions.

    Entries of other sites, and of expired segments, appear as their leaf hash alone; the unit of every
    site exports all. The verification key is not part of it: whoever checks must have it from elsewhere.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError as error:
        raise Conflict("The folder for the export exists already: name a new one.") from error
    except OSError as error:
        raise Unavailable("The folder for the export cannot be made: choose another place.") from error
    record(unit, "audit.exported")
    try:
        _write(folder / HEADS, (head_json(head) for head in store.list_heads(unit.rows)))
        return _write(
            folder / ENTRIES, (leaf_json(leaf, unit.site_id) for leaf in store.walk_leaves(written(unit)))
        )
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)  # its entry in the log goes as well
        raise Unavailable("The export could not be written: check the folder's disk.") from error


def leaf_json(leaf: Leaf, site_id: str) -> dict[str, Any]:
    """A position with the exact bytes of its leaf, or with its hash where the reader may not see more."""
    if leaf.entry is None:
        return {"position": leaf.position, "digest": leaf.digest.hex(), "why": "expired"}
    if site_id not in (EVERY_SITE, leaf.entry.site_id):
        return {"position": leaf.position, "digest": leaf.digest.hex(), "why": "withheld"}
    return {"position": leaf.position, "leaf": entry_bytes(leaf.entry).decode()}


def head_json(signed: SignedHead) -> dict[str, Any]:
    """A signed head as plain values."""
    head = signed.head
    return {
        "size": head.size,
        "root": head.root.hex(),
        "at_us": head.at_us,
        "key_id": head.key_id,
        "signature": signed.signature.hex(),
    }


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> int:
    count = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count
