"""Roll-calls and who has been marked safe."""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Expected, RollCall
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class RollCallRow(Base):
    __tablename__ = "gate_rollcalls"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    drill: Mapped[bool]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str]
    zone_ids: Mapped[str]
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ExpectedRow(Base):
    __tablename__ = "gate_rollcall_people"

    rollcall_id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(primary_key=True)
    zone_id: Mapped[str | None]
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    safe_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    safe_by: Mapped[str | None]
    muster_point: Mapped[str | None]


def add_rollcall(rows: Rows, site_id: str, call: RollCall, people: Iterable[Expected]) -> None:
    """Begin a roll-call with everybody it looks for."""
    rows.add(
        RollCallRow(
            id=call.id,
            site_id=site_id,
            drill=call.drill,
            started_at=call.started_at,
            started_by=call.started_by,
            zone_ids=json.dumps(call.zone_ids),
        )
    )
    for one in people:
        rows.add(_expected_row(call.id, one))
    rows.flush()


def add_expected(rows: Rows, rollcall_id: str, one: Expected) -> None:
    """Add somebody nobody expected to be inside."""
    rows.add(_expected_row(rollcall_id, one))
    rows.flush()


def find_rollcall(rows: Rows, site_id: str, rollcall_id: str) -> RollCall | None:
    """One roll-call."""
    query = select(RollCallRow).where(RollCallRow.id == rollcall_id, RollCallRow.site_id == site_id)
    row = rows.scalar(query)
    return row and _rollcall(row)


def list_rollcalls(rows: Rows, site_id: str, *, limit: int) -> list[RollCall]:
    """The latest roll-calls first."""
    query = select(RollCallRow).where(RollCallRow.site_id == site_id)
    query = query.order_by(RollCallRow.started_at.desc(), RollCallRow.id).limit(limit)
    return [_rollcall(row) for row in rows.execute(query).scalars()]


def list_expected(rows: Rows, rollcall_id: str) -> tuple[Expected, ...]:
    """Everybody a roll-call looks for."""
    query = select(ExpectedRow).where(ExpectedRow.rollcall_id == rollcall_id)
    return tuple(
        Expected(
            subject_id=row.subject_id,
            zone_id=row.zone_id,
            since=row.since,
            safe_at=row.safe_at,
            safe_by=row.safe_by,
            muster_point=row.muster_point,
        )
        for row in rows.execute(query.order_by(ExpectedRow.zone_id, ExpectedRow.subject_id)).scalars()
    )


def mark_safe(rows: Rows, rollcall_id: str, one: Expected) -> bool:
    """Say where and by whom somebody was seen safe; whether the roll-call looks for them."""
    here = (ExpectedRow.rollcall_id == rollcall_id, ExpectedRow.subject_id == one.subject_id)
    marks = {"safe_at": one.safe_at, "safe_by": one.safe_by, "muster_point": one.muster_point}
    done = rows.execute(update(ExpectedRow).where(*here).values(**marks))
    return bool(getattr(done, "rowcount", 0))


def forget_expected(rows: Rows, subject_id: str) -> None:
    """Erase a subject from every list."""
    rows.execute(delete(ExpectedRow).where(ExpectedRow.subject_id == subject_id))


def forget_rollcalls(rows: Rows, site_id: str, before: datetime) -> int:
    """Erase roll-calls that ended before an instant, with their lists; how many."""
    ended = (RollCallRow.site_id == site_id, RollCallRow.ended_at < before)
    old = select(RollCallRow.id).where(*ended)
    rows.execute(delete(ExpectedRow).where(ExpectedRow.rollcall_id.in_(old)))
    return int(getattr(rows.execute(delete(RollCallRow).where(*ended)), "rowcount", 0))


def end_rollcall(rows: Rows, rollcall_id: str, at: datetime) -> None:
    """End a roll-call."""
    rows.execute(update(RollCallRow).where(RollCallRow.id == rollcall_id).values(ended_at=at))


def _expected_row(rollcall_id: str, one: Expected) -> ExpectedRow:
    return ExpectedRow(
        rollcall_id=rollcall_id,
        subject_id=one.subject_id,
        zone_id=one.zone_id,
        since=one.since,
        safe_at=one.safe_at,
        safe_by=one.safe_by,
        muster_point=one.muster_point,
    )


def _rollcall(row: RollCallRow) -> RollCall:
    return RollCall(
        id=row.id,
        drill=row.drill,
        started_at=row.started_at,
        started_by=row.started_by,
        zone_ids=tuple(json.loads(row.zone_ids)),
        ended_at=row.ended_at,
    )
