"""Where the log is kept. Entries and nodes are added and read; only an expired entry loses its body."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Index, Row, Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.audit.model import Entry, Frontier, Head, Leaf, Segment, SignedHead
from doorward.audit.rules import KEPT_EVENTS, Node, node_id
from doorward.core.batches import in_batches
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Base, Rows

THE_ONE = 1
DIGEST = 32
AT_ONCE = 500


class EntryRow(Base):
    __tablename__ = "audit_entries"

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes]
    site_id: Mapped[str | None]
    event: Mapped[str | None]
    actor: Mapped[str | None]
    subject_id: Mapped[str | None]
    at_us: Mapped[int | None] = mapped_column(BigInteger)
    facts: Mapped[str | None]
    salt: Mapped[bytes | None]

    __table_args__ = (
        Index("ix_audit_entries_site_id_position", "site_id", "position"),
        Index("ix_audit_entries_subject_id_position", "subject_id", "position"),
    )


class NodeRow(Base):
    __tablename__ = "audit_nodes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    digest: Mapped[bytes]


class FrontierRow(Base):
    __tablename__ = "audit_frontier"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    roots: Mapped[bytes]


class HeadRow(Base):
    __tablename__ = "audit_heads"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key_id: Mapped[str] = mapped_column(primary_key=True)
    root: Mapped[bytes]
    at_us: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[bytes]


ENTRIES: Any = EntryRow.__table__
NODES: Any = NodeRow.__table__
FRONTIER: Any = FrontierRow.__table__
HEADS: Any = HeadRow.__table__

# Built once: SQLAlchemy then finds the compiled statement by identity of its cache key.
ADD_ENTRY = insert(ENTRIES)
ADD_NODES = insert(NODES)
# No lock here: a unit holds the only writer's place, and the position's uniqueness stands behind that.
READ_FRONTIER = select(FRONTIER.c.size, FRONTIER.c.roots).where(FRONTIER.c.id == THE_ONE)
MOVE_FRONTIER = update(FRONTIER).where(FRONTIER.c.id == THE_ONE)
MOVE_FRONTIER = MOVE_FRONTIER.values(size=bindparam("new_size"), roots=bindparam("new_roots"))


def read_frontier(rows: Rows) -> Frontier:
    """Where the log stands; empty before the first entry."""
    row = rows.execute(READ_FRONTIER).one_or_none()
    if row is None:
        return Frontier(0, ())
    raw = bytes(row.roots)
    return Frontier(row.size, tuple(raw[at : at + DIGEST] for at in range(0, len(raw), DIGEST)))


def append(
    rows: Rows, leaves: Sequence[Leaf], frontier: Frontier, nodes: Sequence[tuple[Node, bytes]]
) -> None:
    """Add entries, the nodes they completed, and move the frontier to where it then stands."""
    rows.execute(ADD_ENTRY, [_values(leaf) for leaf in leaves])
    if nodes:
        rows.execute(ADD_NODES, [{"id": node_id(node), "digest": digest} for node, digest in nodes])
    roots = b"".join(frontier.roots)
    if leaves[0].position == 0:
        rows.execute(insert(FRONTIER), {"id": THE_ONE, "size": frontier.size, "roots": roots})
    else:
        rows.execute(MOVE_FRONTIER, {"new_size": frontier.size, "new_roots": roots})


def find_leaf(rows: Rows, position: int) -> Leaf | None:
    """What is stored at a position, or None."""
    row = rows.execute(select(ENTRIES).where(ENTRIES.c.position == position)).one_or_none()
    return _leaf(row) if row is not None else None


def walk_leaves(rows: Rows) -> Iterator[Leaf]:
    """Every position in order, fetched in batches."""
    after = -1
    while True:
        batch = select(ENTRIES).where(ENTRIES.c.position > after).order_by(ENTRIES.c.position).limit(AT_ONCE)
        found = [_leaf(row) for row in rows.execute(batch)]
        yield from found
        if len(found) < AT_ONCE:
            return
        after = found[-1].position


def list_entries(
    rows: Rows, site_id: str, *, before: int | None, limit: int, event: str | None = None
) -> list[Entry]:
    """A site's entries, newest first, older than a position."""
    wanted = _of_site(select(ENTRIES), site_id).order_by(ENTRIES.c.position.desc()).limit(limit)
    wanted = wanted.where(ENTRIES.c.salt.is_not(None))
    if before is not None:
        wanted = wanted.where(ENTRIES.c.position < before)
    if event is not None:
        wanted = wanted.where(ENTRIES.c.event == event)
    return [_entry(row) for row in rows.execute(wanted)]


def list_about(rows: Rows, site_id: str, subject_id: str) -> list[Entry]:
    """A site's entries about one subject, oldest first."""
    wanted = _of_site(select(ENTRIES), site_id).where(ENTRIES.c.subject_id == subject_id)
    return [_entry(row) for row in rows.execute(wanted.order_by(ENTRIES.c.position))]


def get_nodes(rows: Rows, wanted: Collection[Node]) -> Mapping[Node, bytes]:
    """The digests of complete nodes, leaves included; a missing one is simply absent."""
    inner = {node_id(node): node for node in wanted if node[0]}
    leaves = [index for level, index in wanted if level == 0]
    found: dict[Node, bytes] = {}
    for ids in in_batches(list(inner), AT_ONCE):
        for row in rows.execute(select(NODES).where(NODES.c.id.in_(ids))):
            found[inner[row.id]] = bytes(row.digest)
    for ids in in_batches(leaves, AT_ONCE):
        query = select(ENTRIES.c.position, ENTRIES.c.digest).where(ENTRIES.c.position.in_(ids))
        for row in rows.execute(query):
            found[0, row.position] = bytes(row.digest)
    return found


def add_head(rows: Rows, signed: SignedHead) -> None:
    """Keep a signed head."""
    head = signed.head
    values = {"size": head.size, "key_id": head.key_id, "root": head.root, "at_us": head.at_us}
    rows.execute(insert(HEADS), values | {"signature": signed.signature})


def find_head(rows: Rows, size: int | None = None, key_id: str | None = None) -> SignedHead | None:
    """The newest signed head, or the one of a size (and key)."""
    wanted = select(HEADS).order_by(HEADS.c.size.desc(), HEADS.c.at_us.desc()).limit(1)
    if size is not None:
        wanted = wanted.where(HEADS.c.size == size)
    if key_id is not None:
        wanted = wanted.where(HEADS.c.key_id == key_id)
    row = rows.execute(wanted).one_or_none()
    return _signed(row) if row is not None else None


def list_heads(rows: Rows) -> list[SignedHead]:
    """Every signed head, smallest first."""
    return [_signed(row) for row in rows.execute(select(HEADS).order_by(HEADS.c.size, HEADS.c.at_us))]


def list_strippable(rows: Rows, site_id: str, segment: Segment, before_us: int | None) -> list[int]:
    """Positions of a site's entries in a segment, older than an instant, that have a body and may lose it."""
    chosen = _of_site(select(ENTRIES.c.position), site_id).where(
        ENTRIES.c.position.between(segment.first, segment.last),
        ENTRIES.c.salt.is_not(None),
        ENTRIES.c.event.not_in(KEPT_EVENTS),
    )
    if before_us is not None:
        chosen = chosen.where(ENTRIES.c.at_us < before_us)
    return list(rows.execute(chosen.order_by(ENTRIES.c.position)).scalars())


def strip_bodies(rows: Rows, positions: Sequence[int]) -> None:
    """Erase everything but the leaf hash of these entries."""
    gone: dict[str, None] = dict.fromkeys(
        ("site_id", "event", "actor", "subject_id", "at_us", "facts", "salt")
    )
    for ids in in_batches(positions, AT_ONCE):
        rows.execute(update(ENTRIES).where(ENTRIES.c.position.in_(ids)).values(gone))


def find_last_before(rows: Rows, site_id: str, at_us: int) -> Segment | None:
    """From the site's first to its last entry older than an instant, or None."""
    bounds = select(func.min(ENTRIES.c.position), func.max(ENTRIES.c.position))
    row: Any = rows.execute(_of_site(bounds, site_id).where(ENTRIES.c.at_us < at_us)).one()
    return Segment(int(row[0]), int(row[1])) if row[0] is not None else None


def _of_site(query: Select[Any], site_id: str) -> Select[Any]:
    return query if site_id == EVERY_SITE else query.where(ENTRIES.c.site_id == site_id)


def _values(leaf: Leaf) -> dict[str, object]:
    entry = leaf.entry
    assert entry is not None
    return {
        "position": entry.position,
        "digest": leaf.digest,
        "site_id": entry.site_id,
        "event": entry.event,
        "actor": entry.actor,
        "subject_id": entry.subject_id,
        "at_us": entry.at_us,
        "facts": entry.facts,
        "salt": entry.salt,
    }


def _leaf(row: Row[Any]) -> Leaf:
    return Leaf(row.position, bytes(row.digest), _entry(row) if row.salt is not None else None)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.position, row.site_id, row.event, row.actor, row.subject_id, row.at_us, row.facts, bytes(row.salt)
    )


def _signed(row: Row[Any]) -> SignedHead:
    head = Head(row.size, bytes(row.root), row.at_us, row.key_id)
    return SignedHead(head, bytes(row.signature))
