"""Faces that failed, in a row: strangers' at a gate that looks everybody up, or those for one person."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Guesses
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class GuessRow(Base):
    """One row per gate or person at which faces failed since the last that fitted."""

    __tablename__ = "gate_face_guesses"

    about: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


GUESSES: Any = GuessRow.__table__
# Built once: every face that is shown asks this.
FAILED = select(GUESSES.c.failures, GUESSES.c.last_at).where(
    GUESSES.c.about == bindparam("about"), GUESSES.c.site_id == bindparam("site")
)


def find_guesses(rows: Rows, site_id: str, about: str) -> Guesses | None:
    """How often faces failed there since one fitted."""
    row = rows.execute(FAILED, {"about": about, "site": site_id}).first()
    return Guesses(about=about, failures=row.failures, last_at=row.last_at) if row else None


def set_guesses(rows: Rows, site_id: str, guesses: Guesses) -> None:
    """Keep how often faces failed."""
    facts = {"failures": guesses.failures, "last_at": guesses.last_at}
    here = (GuessRow.about == guesses.about, GuessRow.site_id == site_id)
    done = rows.execute(update(GuessRow).where(*here).values(**facts))
    if not getattr(done, "rowcount", 0):
        rows.add(GuessRow(about=guesses.about, site_id=site_id, **facts))
        rows.flush()


def forget_guesses(rows: Rows, about: str, site_id: str | None = None) -> None:
    """A face fitted, or the person is gone: at every site unless one is named."""
    gone = delete(GuessRow).where(GuessRow.about == about)
    rows.execute(gone if site_id is None else gone.where(GuessRow.site_id == site_id))


def forget_old_guesses(rows: Rows, site_id: str, before: datetime) -> None:
    """Erase what nobody tried any more since an instant."""
    rows.execute(delete(GuessRow).where(GuessRow.site_id == site_id, GuessRow.last_at < before))
