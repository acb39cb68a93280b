"""A write sent twice under one key is done once and answered twice alike."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.errors import Conflict
from doorward.platform.db import Base, Unit
from doorward.platform.types import UtcDateTime

KEPT_FOR = timedelta(hours=24)


class AnswerRow(Base):
    """The sealed answer to one write."""

    __tablename__ = "idempotent_answers"

    id: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[bytes]
    answer: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def answer_id(actor_id: str, route: str, key: str) -> str:
    """One actor's key on one route; the key itself is not kept."""
    return hashlib.sha256("\n".join((actor_id, route, key)).encode()).hexdigest()


def find_answer(unit: Unit, row_id: str, request_digest: bytes) -> bytes | None:
    """The sealed answer given before; `Conflict` if the key was used for another request."""
    row = unit.rows.scalar(select(AnswerRow).where(AnswerRow.id == row_id))
    if row is None:
        return None
    if row.request_digest != request_digest:
        raise Conflict("This Idempotency-Key was used for a different request: choose a new one.")
    return bytes(row.answer)


def add_answer(unit: Unit, row_id: str, request_digest: bytes, answer: bytes) -> None:
    """Remember a sealed answer in the same transaction as the deed."""
    unit.rows.add(AnswerRow(id=row_id, request_digest=request_digest, answer=answer, made_at=unit.now))


def forget_answers(unit: Unit) -> None:
    """Erase answers older than a day."""
    unit.rows.execute(delete(AnswerRow).where(AnswerRow.made_at < unit.now - KEPT_FOR))
