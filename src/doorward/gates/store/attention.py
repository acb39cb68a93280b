"""Alarms: what somebody should look at."""

from datetime import datetime

from sqlalchemy import String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Alarm, AlarmKind
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class AlarmRow(Base):
    __tablename__ = "gate_alarms"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    kind: Mapped[str] = mapped_column(String(24))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    place_id: Mapped[str]
    subject_id: Mapped[str | None]
    passage_id: Mapped[str | None]
    detail: Mapped[str]
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str | None]


def add_alarm(rows: Rows, site_id: str, alarm: Alarm) -> None:
    """Keep an alarm."""
    rows.add(
        AlarmRow(
            id=alarm.id,
            site_id=site_id,
            kind=alarm.kind.value,
            raised_at=alarm.raised_at,
            place_id=alarm.place_id,
            subject_id=alarm.subject_id,
            passage_id=alarm.passage_id,
            detail=alarm.detail,
        )
    )


def find_alarm(rows: Rows, site_id: str, alarm_id: str) -> Alarm | None:
    """One alarm."""
    row = rows.scalar(select(AlarmRow).where(AlarmRow.id == alarm_id, AlarmRow.site_id == site_id))
    return row and _alarm(row)


def is_waiting(rows: Rows, site_id: str, kind: AlarmKind, place_id: str) -> bool:
    """Whether the same alarm about the same place still waits for somebody."""
    query = select(AlarmRow.id).where(
        AlarmRow.site_id == site_id,
        AlarmRow.kind == kind.value,
        AlarmRow.place_id == place_id,
        AlarmRow.acknowledged_at.is_(None),
    )
    return rows.scalar(query.limit(1)) is not None


def forget_alarms(rows: Rows, site_id: str, before: datetime) -> int:
    """Erase alarms that somebody looked at before an instant; how many."""
    gone = delete(AlarmRow).where(AlarmRow.site_id == site_id, AlarmRow.acknowledged_at < before)
    return int(getattr(rows.execute(gone), "rowcount", 0))


def list_alarms(rows: Rows, site_id: str, *, after: str | None, limit: int, waiting: bool) -> list[Alarm]:
    """Alarms, latest first; `waiting` leaves out those that were acknowledged."""
    query = select(AlarmRow).where(AlarmRow.site_id == site_id)
    if waiting:
        query = query.where(AlarmRow.acknowledged_at.is_(None))
    if after is not None:
        last = rows.scalar(select(AlarmRow.raised_at).where(AlarmRow.id == after))
        if last is not None:
            older = AlarmRow.raised_at < last
            query = query.where(older | ((AlarmRow.raised_at == last) & (AlarmRow.id < after)))
    query = query.order_by(AlarmRow.raised_at.desc(), AlarmRow.id.desc()).limit(limit)
    return [_alarm(row) for row in rows.execute(query).scalars()]


def acknowledge(rows: Rows, alarm_id: str, *, at: datetime, by: str) -> None:
    """Say who looked at an alarm, and when."""
    rows.execute(
        update(AlarmRow).where(AlarmRow.id == alarm_id).values(acknowledged_at=at, acknowledged_by=by)
    )


def _alarm(row: AlarmRow) -> Alarm:
    return Alarm(
        id=row.id,
        kind=AlarmKind(row.kind),
        raised_at=row.raised_at,
        place_id=row.place_id,
        subject_id=row.subject_id,
        passage_id=row.passage_id,
        detail=row.detail,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
