"""A write sent twice under one key is done once and answered twice alike."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from doorward.platform.db import Base, Unit
from doorward.platform.types import UtcDateTime

KEPT_FOR = timedelta(hours=24)


class AnswerRow(Base):
    """One write's answer, sealed together with a hash of what was asked, which bare would tell a PIN."""

    __tablename__ = "kept_answers"

    id: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def answer_id(actor_id: str, route: str, key: str) -> str:
    """One actor's key on one route; the key itself is not kept."""
    return hashlib.sha256("\n".join((actor_id, route, key)).encode()).hexdigest()


def find_answer(unit: Unit, row_id: str) -> bytes | None:
    """The sealed answer given before."""
    row = unit.rows.scalar(select(AnswerRow).where(AnswerRow.id == row_id))
    return bytes(row.answer) if row is not None else None


def add_answer(unit: Unit, row_id: str, answer: bytes) -> None:
    """Remember a sealed answer in the same transaction as the deed."""
    unit.rows.add(AnswerRow(id=row_id, answer=answer, made_at=unit.now))


def forget_answers(unit: Unit) -> None:
    """Erase answers older than a day."""
    unit.rows.execute(delete(AnswerRow).where(AnswerRow.made_at < unit.now - KEPT_FOR))
