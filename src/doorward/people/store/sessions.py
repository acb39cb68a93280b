"""Signed-in browsers, and failures counted against logins and addresses."""

from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.people.model.staff import Session, Stage, Throttle
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class SessionRow(Base):
    __tablename__ = "staff_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[str] = mapped_column(index=True)
    generation: Mapped[int]
    stage: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended: Mapped[bool] = mapped_column(default=False)


class ThrottleRow(Base):
    __tablename__ = "staff_throttles"

    blind: Mapped[bytes] = mapped_column(primary_key=True)
    failures: Mapped[int]
    since: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    locked_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


def add_session(rows: Rows, session: Session, token_hash: bytes) -> None:
    rows.add(
        SessionRow(
            id=session.id,
            token_hash=token_hash,
            account_id=session.account_id,
            generation=session.generation,
            stage=session.stage,
            made_at=session.made_at,
            seen_at=session.seen_at,
            ended=session.ended,
        )
    )
    rows.flush()


def find_session(rows: Rows, token_hash: bytes) -> Session | None:
    row = rows.scalar(select(SessionRow).where(SessionRow.token_hash == token_hash))
    return row and _session(row)


def list_sessions(rows: Rows, account_id: str) -> list[Session]:
    query = select(SessionRow).where(SessionRow.account_id == account_id, SessionRow.ended.is_(False))
    return [_session(row) for row in rows.execute(query.order_by(SessionRow.made_at.desc())).scalars()]


def touch_session(rows: Rows, session_id: str, now: datetime) -> None:
    rows.execute(update(SessionRow).where(SessionRow.id == session_id).values(seen_at=now))


def end_session(rows: Rows, session_id: str) -> None:
    rows.execute(update(SessionRow).where(SessionRow.id == session_id).values(ended=True))


def end_sessions_of(rows: Rows, account_id: str) -> None:
    rows.execute(update(SessionRow).where(SessionRow.account_id == account_id).values(ended=True))


def forget_sessions_before(rows: Rows, made_before: datetime) -> None:
    rows.execute(delete(SessionRow).where(SessionRow.made_at <= made_before))


def find_throttle(rows: Rows, blind: bytes) -> Throttle | None:
    row = rows.scalar(select(ThrottleRow).where(ThrottleRow.blind == blind))
    return row and Throttle(row.failures, row.since, row.locked_until)


def put_throttle(rows: Rows, blind: bytes, throttle: Throttle) -> None:
    forget_throttle(rows, blind)
    rows.add(
        ThrottleRow(
            blind=blind,
            failures=throttle.failures,
            since=throttle.since,
            locked_until=throttle.locked_until,
        )
    )
    rows.flush()


def forget_throttle(rows: Rows, blind: bytes) -> None:
    rows.execute(delete(ThrottleRow).where(ThrottleRow.blind == blind))


def forget_throttles_before(rows: Rows, since: datetime) -> None:
    """Erase counts from before; one that locked since then still makes the next lock longer."""
    unlocked = or_(ThrottleRow.locked_until.is_(None), ThrottleRow.locked_until <= since)
    rows.execute(delete(ThrottleRow).where(ThrottleRow.since <= since, unlocked))


def _session(row: SessionRow) -> Session:
    return Session(
        row.id, row.account_id, row.generation, Stage(row.stage), row.made_at, row.seen_at, row.ended
    )
