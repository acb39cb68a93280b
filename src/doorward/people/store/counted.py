"""Deeds counted against whoever did them, so that many in a short time are noticed."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class CountedRow(Base):
    __tablename__ = "staff_counted_deeds"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(index=True)
    action: Mapped[str]
    subject_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def add_counted(rows: Rows, account_id: str, action: str, subject_ids: Iterable[str], at: datetime) -> None:
    for subject_id in subject_ids:
        rows.add(CountedRow(account_id=account_id, action=action, subject_id=subject_id, at=at))
    rows.flush()


def list_counted(rows: Rows, account_id: str, action: str, since: datetime) -> set[str]:
    """To whom this account did it since then."""
    query = select(CountedRow.subject_id).where(
        CountedRow.account_id == account_id, CountedRow.action == action, CountedRow.at > since
    )
    return set(rows.execute(query).scalars())


def forget_counted(rows: Rows, account_id: str, action: str) -> None:
    """Begin to count this anew for an account."""
    rows.execute(delete(CountedRow).where(CountedRow.account_id == account_id, CountedRow.action == action))


def forget_counted_before(rows: Rows, moment: datetime) -> None:
    rows.execute(delete(CountedRow).where(CountedRow.at <= moment))
