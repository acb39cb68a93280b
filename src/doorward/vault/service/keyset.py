"""Today's wrapped data keys as one small file, so that an older copy of the database serves the living."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from doorward.audit.service import record
from doorward.core.encoding import canonical_json, from_text, to_text
from doorward.core.errors import Invalid
from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import Place, Purpose, WrappedKey
from doorward.vault.service.unlocked import Vault

FILE = "keyset.sealed"
PLACE = Place("keyset", "keys", "doorward-keyset/1")


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a key set did to a restored database: how many keys fitted, and who was erased since the copy."""

    fitted: int
    erased: tuple[str, ...]
    sites: Mapping[str, str] = field(default_factory=dict)  # of the erased, by id


def export_key_set(unit: Unit, vault: Vault) -> bytes:
    """Every wrapped data key of every site, sealed; keep it by the copies and replace it at each ratchet."""
    keys = store.list_every_key(unit.rows)
    record(unit, "vault.key_set_exported", keys=len(keys))
    content = [
        [key.subject_id, key.key_id, key.site_id, key.purpose, key.generation, to_text(key.wrapped)]
        for key in keys
    ]
    return vault.seal(Purpose.VAULT, PLACE, canonical_json(content))


def keep_key_set(unit: Unit, vault: Vault) -> Path:
    """Write today's key set beside the ring, so that a copy of the keys folder holds both."""
    return vault.ring.put_beside(FILE, export_key_set(unit, vault))


def adopt_key_set(unit: Unit, vault: Vault, key_set: bytes) -> Adopted:
    """Give a restored database today's wrappings; whoever is not in the set was erased and stays so.

    The rooms above must forget the rows of the erased ids; without a key they are noise.
    """
    today = {}
    for subject_id, key_id, site_id, purpose, generation, wrapped in json.loads(
        vault.unseal(Purpose.VAULT, PLACE, key_set)
    ):
        key = WrappedKey(subject_id, key_id, site_id, Purpose(purpose), generation, from_text(wrapped))
        today[subject_id] = key
    kept, erased = 0, dict[str, str]()
    for old in store.list_every_key(unit.rows):
        now = today.get(old.subject_id)
        if now is None:
            store.forget_key(unit.rows, old.subject_id)
            erased[old.subject_id] = old.site_id
        elif now.key_id != old.key_id:
            raise Invalid("This key set belongs to another site's database: take the one made beside it.")
        else:
            store.change_key(unit.rows, now)
            kept += 1
    record(unit, "vault.key_set_adopted", fitted=kept, erased=len(erased))
    return Adopted(kept, tuple(erased), erased)
