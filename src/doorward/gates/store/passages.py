"""Passages: every decision, once, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ColumnElement,
    Index,
    RowMapping,
    String,
    Table,
    and_,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Direction, Numbered, Passage, PassageState
from doorward.gates.store.places import SITES
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime

# An index over some rows is used only by queries that say the same words.
AWAITING = text("state = 'permitted'")
MERGED = text("offline_sequence IS NOT NULL")
TOLD_LATE = text("offline")
PAIRED = text("companion_id IS NOT NULL")
FIRST_COMMAND = 2**40  # what staff give is numbered by the microsecond, far beyond what agents count to
WENT_THROUGH = tuple(
    state.value for state in (PassageState.PERMITTED, PassageState.OPENED, PassageState.UNREPORTED)
)


class PassageRow(Base):
    """One decision; `asked` is the digest of the sighting, `answer` the body of the permit that was given.

    A passage that an agent asked for under a number used before has a number below zero.
    """

    __tablename__ = "gate_passages"
    __table_args__ = (
        Index("uq_gate_passages_agent_sequence", "agent_id", "sequence", unique=True),
        Index("ix_gate_passages_subject", "subject_id", "seen_at"),
        Index(
            "ix_gate_passages_companion",
            "companion_id",
            "seen_at",
            sqlite_where=PAIRED,
            postgresql_where=PAIRED,
        ),
        Index("ix_gate_passages_gate", "gate_id", "number"),
        Index("ix_gate_passages_lately", "gate_id", "decided_at"),
        Index(
            "ix_gate_passages_told_late",
            "gate_id",
            "seen_at",
            sqlite_where=TOLD_LATE,
            postgresql_where=TOLD_LATE,
        ),
        Index("ix_gate_passages_awaiting", "expires_at", sqlite_where=AWAITING, postgresql_where=AWAITING),
        Index(
            "ix_gate_passages_offline",
            "agent_id",
            "offline_sequence",
            sqlite_where=MERGED,
            postgresql_where=MERGED,
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[str]
    gate_id: Mapped[str]
    agent_id: Mapped[str]
    sequence: Mapped[int]
    direction: Mapped[str] = mapped_column(String(8))
    subject_id: Mapped[str | None]
    companion_id: Mapped[str | None]
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    because: Mapped[str] = mapped_column(String(64))
    offline: Mapped[bool]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    open_seconds: Mapped[int]
    zone_before: Mapped[str | None]
    zone_after: Mapped[str | None]
    trace: Mapped[str]
    offline_sequence: Mapped[int | None]  # of the journal entry about this same passage
    answer: Mapped[bytes]
    asked: Mapped[bytes | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of passages is narrowed to."""

    gate_id: str | None = None
    subject_id: str | None = None
    state: PassageState | None = None
    since: datetime | None = None
    until: datetime | None = None


TABLE = cast(Table, PassageRow.__table__)
_INSERT = TABLE.insert()
# Statements of the hot path are built once: building one costs as much as running it.
_LOOK = (
    select(SITES.c.version, TABLE.c.id, TABLE.c.asked)
    .select_from(SITES)
    .outerjoin(TABLE, and_(TABLE.c.agent_id == bindparam("agent"), TABLE.c.sequence == bindparam("number")))
    .where(SITES.c.site_id == bindparam("site"))
)
NOT_SHOWN = frozenset({"number", "site_id", "answer", "asked", "offline_sequence"})


@dataclass(frozen=True, slots=True)
class Held:
    """The passage that a number already led to, and the digest of what was asked under it."""

    passage_id: str
    asked: bytes | None


def opening_look(rows: Rows, site_id: str, agent_id: str, sequence: int) -> tuple[int, Held | None]:
    """In one look: the version of the site's plan, and the passage this number already led to."""
    row = rows.execute(_LOOK, {"site": site_id, "agent": agent_id, "number": sequence}).first()
    if row is None:
        return 0, None
    return row.version, None if row.id is None else Held(row.id, row.asked)


def add_passage(
    rows: Rows, site_id: str, passage: Passage, answer: bytes, *, asked: bytes | None = None
) -> None:
    """Keep a decision, the body of its answer, and the digest of the sighting that asked for it."""
    rows.execute(
        _INSERT,
        {
            "id": passage.id,
            "site_id": site_id,
            "gate_id": passage.gate_id,
            "agent_id": passage.agent_id,
            "sequence": passage.sequence,
            "direction": passage.direction.value,
            "subject_id": passage.subject_id,
            "companion_id": passage.companion_id,
            "seen_at": passage.seen_at,
            "decided_at": passage.decided_at,
            "state": passage.state.value,
            "because": passage.because,
            "offline": passage.offline,
            "expires_at": passage.expires_at,
            "open_seconds": passage.open_seconds,
            "zone_before": passage.zone_before,
            "zone_after": passage.zone_after,
            "trace": passage.trace,
            "answer": answer,
            "asked": asked,
        },
    )


def find_passage(rows: Rows, site_id: str, passage_id: str) -> Passage | None:
    """One passage by its id, which is also its permit's."""
    row = (
        rows.execute(select(TABLE).where(TABLE.c.id == passage_id, TABLE.c.site_id == site_id))
        .mappings()
        .first()
    )
    return passage_of(row) if row else None


def find_numbered(rows: Rows, agent_id: str, sequence: int) -> Passage | None:
    """The passage that an agent's message of that number led to."""
    row = (
        rows.execute(select(TABLE).where(TABLE.c.agent_id == agent_id, TABLE.c.sequence == sequence))
        .mappings()
        .first()
    )
    return passage_of(row) if row else None


def highest_number(rows: Rows, agent_id: str) -> int:
    """The greatest number of a sighting or decision of this agent's own; 0 if it never sent any."""
    own = (TABLE.c.agent_id == agent_id, TABLE.c.sequence < FIRST_COMMAND)
    return rows.scalar(select(func.max(TABLE.c.sequence)).where(*own)) or 0


def last_command(rows: Rows, agent_id: str) -> int:
    """The greatest number of a permit that staff gave to this agent; 0 if there was none."""
    return rows.scalar(select(func.max(TABLE.c.sequence)).where(TABLE.c.agent_id == agent_id)) or 0


def merge_offline(rows: Rows, passage_id: str, sequence: int) -> None:
    """Say that a journal entry tells of a passage the server had decided too."""
    rows.execute(update(TABLE).where(TABLE.c.id == passage_id).values(offline_sequence=sequence))


def find_told_offline(rows: Rows, agent_id: str, sequence: int) -> Passage | None:
    """The passage that a journal entry of that number told of."""
    merged = (TABLE.c.agent_id == agent_id, TABLE.c.offline_sequence == sequence)
    row = rows.execute(select(TABLE).where(*merged)).mappings().first()
    return passage_of(row) if row else find_numbered(rows, agent_id, sequence)


def answer_of(rows: Rows, passage_id: str) -> bytes:
    """The body of the answer that was given."""
    return bytes(rows.scalar(select(TABLE.c.answer).where(TABLE.c.id == passage_id)))


def change_state(rows: Rows, passage_id: str, state: PassageState) -> None:
    """Say how far a passage got."""
    rows.execute(update(TABLE).where(TABLE.c.id == passage_id).values(state=state.value))


def list_passages(
    rows: Rows, site_id: str, wanted: Wanted, *, before: int | None, limit: int
) -> list[Numbered]:
    """Passages, latest first, at most `limit` below a number."""
    query = select(TABLE).where(TABLE.c.site_id == site_id).order_by(TABLE.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(TABLE.c.number < before)
    for condition in _conditions(wanted):
        query = query.where(condition)
    return [Numbered(number=row["number"], passage=passage_of(row)) for row in rows.execute(query).mappings()]


def list_awaiting(rows: Rows, site_id: str, until: datetime, *, now: datetime, most: int) -> list[Passage]:
    """Permits whose outcome should have come by then, or that were given before the clock was set back."""
    late = (TABLE.c.expires_at < until) | (TABLE.c.decided_at > now)
    query = select(TABLE).where(TABLE.c.site_id == site_id, AWAITING, late)
    return [
        passage_of(row) for row in rows.execute(query.order_by(TABLE.c.expires_at).limit(most)).mappings()
    ]


def forget_passages(rows: Rows, site_id: str, before: datetime, *, most: int) -> int:
    """Erase passages decided before an instant among the oldest so many; how many were."""
    first = select(TABLE.c.number).where(TABLE.c.site_id == site_id).order_by(TABLE.c.number).limit(most)
    gone = TABLE.delete().where(TABLE.c.number.in_(first.scalar_subquery()), TABLE.c.decided_at < before)
    return int(getattr(rows.execute(gone), "rowcount", 0))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.gate_id is not None:
        found.append(TABLE.c.gate_id == wanted.gate_id)
    if wanted.subject_id is not None:
        found.append(TABLE.c.subject_id == wanted.subject_id)
    if wanted.state is not None:
        found.append(TABLE.c.state == wanted.state.value)
    if wanted.since is not None:
        found.append(TABLE.c.decided_at >= wanted.since)
    if wanted.until is not None:
        found.append(TABLE.c.decided_at < wanted.until)
    return found


def passage_of(row: RowMapping) -> Passage:
    """A row as the rest of the room knows it."""
    held = {key: value for key, value in row.items() if key not in NOT_SHOWN}
    held["direction"] = Direction(held["direction"])
    held["state"] = PassageState(held["state"])
    return Passage(**held)
