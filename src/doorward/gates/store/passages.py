"""Passages: every decision, once, and what came of it."""

from collections.abc import Iterable
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

AWAITING = text("state = 'permitted'")
MERGED = text("offline_sequence IS NOT NULL")
WENT_THROUGH = tuple(
    state.value for state in (PassageState.PERMITTED, PassageState.OPENED, PassageState.UNREPORTED)
)


class PassageRow(Base):
    """One decision; `answer` is the body of the permit that was given, which names nobody."""

    __tablename__ = "gate_passages"
    __table_args__ = (
        Index("uq_gate_passages_agent_sequence", "agent_id", "sequence", unique=True),
        Index("ix_gate_passages_subject", "subject_id", "number"),
        Index("ix_gate_passages_gate", "gate_id", "number"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a list of passages is narrowed to."""

    gate_id: str | None = None
    subject_id: str | None = None
    state: PassageState | None = None
    since: datetime | None = None
    until: datetime | None = None


_T = cast(Table, PassageRow.__table__)
_INSERT = _T.insert()
# Statements of the hot path are built once: building one costs as much as running it.
_LOOK = (
    select(SITES.c.version, _T.c.id)
    .select_from(SITES)
    .outerjoin(_T, and_(_T.c.agent_id == bindparam("agent"), _T.c.sequence == bindparam("number")))
    .where(SITES.c.site_id == bindparam("site"))
)
NOT_SHOWN = frozenset({"number", "site_id", "answer", "offline_sequence"})


def opening_look(rows: Rows, site_id: str, agent_id: str, sequence: int) -> tuple[int, str | None]:
    """In one look: the version of the site's plan, and the passage this number already led to."""
    row = rows.execute(_LOOK, {"site": site_id, "agent": agent_id, "number": sequence}).first()
    return (row.version, row.id) if row else (0, None)


def add_passage(rows: Rows, site_id: str, passage: Passage, answer: bytes) -> None:
    """Keep a decision and the body of its answer."""
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
        },
    )


def find_passage(rows: Rows, site_id: str, passage_id: str) -> Passage | None:
    """One passage by its id, which is also its permit's."""
    row = rows.execute(select(_T).where(_T.c.id == passage_id, _T.c.site_id == site_id)).mappings().first()
    return _passage(row) if row else None


def find_numbered(rows: Rows, agent_id: str, sequence: int) -> Passage | None:
    """The passage that an agent's message of that number led to."""
    row = (
        rows.execute(select(_T).where(_T.c.agent_id == agent_id, _T.c.sequence == sequence))
        .mappings()
        .first()
    )
    return _passage(row) if row else None


def merge_offline(rows: Rows, passage_id: str, sequence: int) -> None:
    """Say that a journal entry tells of a passage the server had decided too."""
    rows.execute(update(_T).where(_T.c.id == passage_id).values(offline_sequence=sequence))


def find_told_offline(rows: Rows, agent_id: str, sequence: int) -> Passage | None:
    """The passage that a journal entry of that number told of."""
    merged = (_T.c.agent_id == agent_id, _T.c.offline_sequence == sequence)
    row = rows.execute(select(_T).where(*merged)).mappings().first()
    return _passage(row) if row else find_numbered(rows, agent_id, sequence)


def answer_of(rows: Rows, passage_id: str) -> bytes:
    """The body of the answer that was given."""
    return bytes(rows.scalar(select(_T.c.answer).where(_T.c.id == passage_id)))


def change_state(rows: Rows, passage_id: str, state: PassageState) -> None:
    """Say how far a passage got."""
    rows.execute(update(_T).where(_T.c.id == passage_id).values(state=state.value))


def list_passages(
    rows: Rows, site_id: str, wanted: Wanted, *, before: int | None, limit: int
) -> list[Numbered]:
    """Passages, latest first, at most `limit` below a number."""
    query = select(_T).where(_T.c.site_id == site_id).order_by(_T.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(_T.c.number < before)
    for condition in _conditions(wanted):
        query = query.where(condition)
    return [Numbered(number=row["number"], passage=_passage(row)) for row in rows.execute(query).mappings()]


def list_awaiting(rows: Rows, site_id: str, until: datetime, *, most: int) -> list[Passage]:
    """Permits whose outcome should have come by then."""
    query = select(_T).where(
        _T.c.site_id == site_id, _T.c.state == PassageState.PERMITTED.value, _T.c.expires_at < until
    )
    return [_passage(row) for row in rows.execute(query.order_by(_T.c.expires_at).limit(most)).mappings()]


def last_through(rows: Rows, subject_id: str, gate_ids: Iterable[str]) -> datetime | None:
    """When a subject last went, or was allowed, through any of these gates."""
    through = select(func.max(_T.c.number)).where(
        _T.c.subject_id == subject_id, _T.c.gate_id.in_(sorted(gate_ids)), _T.c.state.in_(WENT_THROUGH)
    )
    found: datetime | None = rows.scalar(select(_T.c.seen_at).where(_T.c.number == through.scalar_subquery()))
    return found


def list_recent(rows: Rows, gate_ids: Iterable[str], since: datetime, *, most: int) -> list[Passage]:
    """The latest passages at some gates since an instant, latest first."""
    query = select(_T).where(_T.c.gate_id.in_(sorted(gate_ids)), _T.c.decided_at >= since)
    return [_passage(row) for row in rows.execute(query.order_by(_T.c.number.desc()).limit(most)).mappings()]


def forget_passages(rows: Rows, site_id: str, before: datetime) -> int:
    """Erase passages decided before an instant; how many there were."""
    gone = rows.execute(_T.delete().where(_T.c.site_id == site_id, _T.c.decided_at < before))
    return int(getattr(gone, "rowcount", 0))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.gate_id is not None:
        found.append(_T.c.gate_id == wanted.gate_id)
    if wanted.subject_id is not None:
        found.append(_T.c.subject_id == wanted.subject_id)
    if wanted.state is not None:
        found.append(_T.c.state == wanted.state.value)
    if wanted.since is not None:
        found.append(_T.c.decided_at >= wanted.since)
    if wanted.until is not None:
        found.append(_T.c.decided_at < wanted.until)
    return found


def _passage(row: RowMapping) -> Passage:
    held = {key: value for key, value in row.items() if key not in NOT_SHOWN}
    held["direction"] = Direction(held["direction"])
    held["state"] = PassageState(held["state"])
    return Passage(**held)
