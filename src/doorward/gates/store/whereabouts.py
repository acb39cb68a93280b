"""Who counts as being where."""

from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Presence
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class PresenceRow(Base):
    """One row per subject with a place or a pardon; leaving the site erases it."""

    __tablename__ = "gate_presence"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    zone_id: Mapped[str | None] = mapped_column(index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    passage_id: Mapped[str]
    forgiven: Mapped[bool]


_T = cast(Table, PresenceRow.__table__)
_HERE = (_T.c.subject_id == bindparam("subject"), _T.c.site_id == bindparam("site"))
_FIND = select(_T).where(*_HERE)
_LEAVE = delete(_T).where(*_HERE)
_ENTER = _T.insert()
_MOVE = (
    update(_T)
    .where(*_HERE)
    .values({name: bindparam(name) for name in ("zone_id", "since", "passage_id", "forgiven")})
)


def find_presence(rows: Rows, site_id: str, subject_id: str) -> Presence | None:
    """Where somebody counts as being."""
    row = rows.execute(_FIND, {"subject": subject_id, "site": site_id}).first()
    return _presence(row) if row else None


def set_presence(rows: Rows, site_id: str, presence: Presence) -> None:
    """Move somebody into a zone, or out of all of them (which erases the row unless a pardon is held)."""
    if presence.zone_id is None and not presence.forgiven:
        rows.execute(_LEAVE, {"subject": presence.subject_id, "site": site_id})
        return
    facts = {
        "zone_id": presence.zone_id,
        "since": presence.since,
        "passage_id": presence.passage_id,
        "forgiven": presence.forgiven,
    }
    done = rows.execute(_MOVE, {"subject": presence.subject_id, "site": site_id, **facts})
    if not getattr(done, "rowcount", 0):
        rows.execute(_ENTER, {"subject_id": presence.subject_id, "site_id": site_id, **facts})


def list_present(rows: Rows, site_id: str, zone_id: str | None = None) -> list[Presence]:
    """Everybody inside a zone, or inside any."""
    query = select(_T).where(_T.c.site_id == site_id, _T.c.zone_id.is_not(None))
    if zone_id is not None:
        query = query.where(_T.c.zone_id == zone_id)
    return [_presence(row) for row in rows.execute(query.order_by(_T.c.zone_id, _T.c.subject_id))]


def count_inside(rows: Rows, site_id: str, zone_id: str) -> int:
    """How many count as inside a zone."""
    query = select(func.count()).where(_T.c.zone_id == zone_id, _T.c.site_id == site_id)
    return int(rows.scalar(query) or 0)


def forgive_everybody(rows: Rows, site_id: str) -> int:
    """Pardon everybody with a known place once; how many."""
    done = rows.execute(update(_T).where(_T.c.site_id == site_id).values(forgiven=True))
    return int(getattr(done, "rowcount", 0))


def forget_present(rows: Rows, site_id: str, subject_id: str) -> None:
    """Erase where somebody is."""
    rows.execute(delete(_T).where(_T.c.subject_id == subject_id, _T.c.site_id == site_id))


def _presence(row: object) -> Presence:
    held = dict(getattr(row, "_mapping", {}))
    held.pop("site_id")
    return Presence(**held)
