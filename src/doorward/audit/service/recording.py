"""Writing to the log: in the caller's transaction, or not at all."""

import secrets

from doorward.audit import store
from doorward.audit.model import Entry, Frontier, Leaf, microseconds
from doorward.audit.rules import Node, entry_bytes, grow, leaf_hash
from doorward.core.encoding import canonical_json
from doorward.platform.db import Rows, Unit

SALT_BYTES = 16
MOST_GATHERED = 1000


def record(unit: Unit, event: str, *, subject_id: str | None = None, **facts: object) -> int:
    """Append one entry and return its position; `TypeError` if a fact is not plain JSON.

    Facts are ids, counts and codes, never names, numbers or plates: they outlive the person's key. The
    entries of a unit are written together at its end; if they cannot be, nothing of the unit is kept.
    """
    log = unit.late.of(Log, lambda: Log(unit.rows))
    entry = Entry(
        log.frontier.size,
        unit.site_id,
        event,
        unit.actor.id,
        subject_id,
        microseconds(unit.now),
        canonical_json(facts).decode(),
        secrets.token_bytes(SALT_BYTES),
    )
    log.append(entry)
    return entry.position


def written(unit: Unit) -> Rows:
    """The unit's rows with all that it recorded among them: for whoever reads the log."""
    unit.late.write()
    return unit.rows


class Log:
    """The end of the log as one unit sees it; no other unit writes meanwhile."""

    def __init__(self, rows: Rows) -> None:
        self.frontier: Frontier = store.read_frontier(rows)
        self._rows = rows
        self._leaves: list[Leaf] = []
        self._nodes: list[tuple[Node, bytes]] = []

    def append(self, entry: Entry) -> None:
        """Gather one more entry, and the nodes of the tree that it completes."""
        digest = leaf_hash(entry_bytes(entry))
        self.frontier, nodes = grow(self.frontier, digest)
        self._leaves.append(Leaf(entry.position, digest, entry))
        self._nodes += nodes
        if len(self._leaves) >= MOST_GATHERED:
            self.write()

    def write(self) -> None:
        """Put what was gathered into the database."""
        if self._leaves:
            store.append(self._rows, self._leaves, self.frontier, self._nodes)
            self._leaves, self._nodes = [], []
