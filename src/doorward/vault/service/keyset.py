"""Today's wrapped data keys as one small file, so that an older copy of the database serves the living."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from doorward.audit import service as audit
from doorward.audit.service import record
from doorward.audit.service.recording import written
from doorward.core.encoding import canonical_json, from_text, to_text
from doorward.core.errors import Invalid, Tampered
from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import Place, Purpose, WrappedKey
from doorward.vault.service.subjects import rewrapped
from doorward.vault.service.unlocked import Vault

FILE = "keyset.sealed"
FORMAT = "doorward-keyset/2"
PLACE = Place("keyset", "keys", "doorward-keyset/1")


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a key set did to a restored database: how many keys fitted, and who was erased since the copy."""

    fitted: int
    erased: tuple[str, ...]
    sites: Mapping[str, str] = field(default_factory=dict)  # of the erased, by id


def export_key_set(unit: Unit, vault: Vault) -> bytes:
    """Every wrapped data key of every site, and who was erased; replace the one by the copies with it."""
    keys = store.list_every_key(unit.rows)
    record(unit, "vault.key_set_exported", keys=len(keys))
    size, root = audit.present_root(unit)
    content = {
        "format": FORMAT,
        "log": [size, root.hex()],
        "keys": [
            [key.subject_id, key.key_id, key.site_id, key.purpose, key.generation, to_text(key.wrapped)]
            for key in keys
        ],
        "erased": store.list_erased(unit.rows),
    }
    return vault.seal(Purpose.VAULT, PLACE, canonical_json(content))


def keep_key_set(unit: Unit, vault: Vault) -> Path:
    """Write today's key set beside the ring, so that a copy of the keys folder holds both."""
    key_set = export_key_set(unit, vault)
    written(unit)
    return vault.ring.put_beside(FILE, key_set)


def adopt_key_set(unit: Unit, vault: Vault, key_set: bytes) -> Adopted:
    """Give a restored database today's wrappings, and forget the keys of whom the set says were erased.

    `Invalid`, and nothing is changed, for a set that is older than the database or no longer opens. Whoever
    was enrolled since the set stays as they are. The rooms above must forget the rows of the erased ids.
    """
    found = _read(vault, key_set)
    _require_newer(unit, found)
    mine = store.list_every_key(unit.rows)
    fitting = _fitting(vault, found, mine)
    erased = {key.subject_id: key.site_id for key in mine if key.subject_id in found.erased}
    store.change_keys(unit.rows, fitting)
    for subject_id in erased:
        store.forget_key(unit.rows, subject_id)
    record(unit, "vault.key_set_adopted", fitted=len(fitting), erased=len(erased))
    return Adopted(len(fitting), tuple(erased), erased)


@dataclass(frozen=True, slots=True)
class _KeySet:
    """What a key set holds: how long the log was and its root then, data keys by subject, the erased."""

    size: int
    root: bytes
    keys: Mapping[str, WrappedKey]
    erased: frozenset[str]


def _read(vault: Vault, key_set: bytes) -> _KeySet:
    content = json.loads(vault.unseal(Purpose.VAULT, PLACE, key_set))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise Invalid(
            "This key set was made by another version: write a new one with `doorward keys key-set`."
        )
    keys = {
        subject_id: WrappedKey(subject_id, key_id, site_id, Purpose(purpose), generation, from_text(wrapped))
        for subject_id, key_id, site_id, purpose, generation, wrapped in content["keys"]
    }
    size, root = content["log"]
    return _KeySet(
        size, bytes.fromhex(root), keys, frozenset(subject_id for subject_id, _ in content["erased"])
    )


def _require_newer(unit: Unit, found: _KeySet) -> None:
    """A database whose log goes on from where the set was made knows more than the set."""
    if audit.begins_with(unit, found.size, found.root):
        raise Invalid(
            "This key set is older than the database: there is nothing to adopt, or take a newer one."
        )


def _fitting(vault: Vault, found: _KeySet, mine: Sequence[WrappedKey]) -> list[WrappedKey]:
    """The set's wrapping of each of our keys, every one of them proven to open before one is written."""
    fitting = []
    for old in mine:
        new = found.keys.get(old.subject_id)
        if new is None:
            continue
        if new.key_id != old.key_id:
            raise Invalid("This key set belongs to another site's database: take the one made beside it.")
        try:
            fitting.append(rewrapped(vault, new))
        except Tampered as error:
            raise Invalid(
                "This key set is from before a later turn of the ratchet: take the newest."
            ) from error
    return fitting
