"""Writing to the log: in the caller's transaction, or not at all."""

import secrets

from doorward.audit import store
from doorward.audit.model import Entry, Leaf, microseconds
from doorward.audit.rules import entry_bytes, grow, leaf_hash
from doorward.core.encoding import canonical_json
from doorward.platform.db import Unit

SALT_BYTES = 16


def record(unit: Unit, event: str, *, subject_id: str | None = None, **facts: object) -> int:
    """Append one entry and return its position; `TypeError` if a fact is not plain JSON.

    Facts are ids, counts and codes, never names, numbers or plates: they outlive the person's key.
    """
    frontier = store.read_frontier(unit.rows)
    entry = Entry(
        frontier.size,
        unit.site_id,
        event,
        unit.actor.id,
        subject_id,
        microseconds(unit.now),
        canonical_json(facts).decode(),
        secrets.token_bytes(SALT_BYTES),
    )
    digest = leaf_hash(entry_bytes(entry))
    grown, nodes = grow(frontier, digest)
    store.append(unit.rows, Leaf(entry.position, digest, entry), grown, nodes)
    return entry.position
