"""Who counts as being where."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gates.model import Presence
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class PresenceRow(Base):
    """One row per subject with a place, a pardon, or a time of leaving; with what held before it.

    When somebody left is kept, so that an older entry that is told late does not put them inside again.
    """

    __tablename__ = "gate_presence"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    zone_id: Mapped[str | None] = mapped_column(index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    passage_id: Mapped[str]
    forgiven: Mapped[bool]
    zone_before: Mapped[str | None]
    since_before: Mapped[datetime | None] = mapped_column(UtcDateTime)
    forgiven_before: Mapped[bool]


PLACES = cast(Table, PresenceRow.__table__)
_HERE = (PLACES.c.subject_id == bindparam("subject"), PLACES.c.site_id == bindparam("site"))
_FIND = select(PLACES).where(*_HERE)
_ENTER = PLACES.insert()
KEPT = ("zone_id", "since", "passage_id", "forgiven", "zone_before", "since_before", "forgiven_before")
_MOVE = update(PLACES).where(*_HERE).values({name: bindparam(name) for name in KEPT})


def find_presence(rows: Rows, site_id: str, subject_id: str) -> Presence | None:
    """Where somebody counts as being."""
    row = rows.execute(_FIND, {"subject": subject_id, "site": site_id}).first()
    return _presence(row) if row else None


def set_presence(rows: Rows, site_id: str, presence: Presence) -> None:
    """Move somebody into a zone, or out of all of them."""
    facts = {name: getattr(presence, name) for name in KEPT}
    done = rows.execute(_MOVE, {"subject": presence.subject_id, "site": site_id, **facts})
    if not getattr(done, "rowcount", 0):
        rows.execute(_ENTER, {"subject_id": presence.subject_id, "site_id": site_id, **facts})


def list_present(rows: Rows, site_id: str, zone_id: str | None = None) -> list[Presence]:
    """Everybody inside a zone, or inside any."""
    query = select(PLACES).where(PLACES.c.site_id == site_id, PLACES.c.zone_id.is_not(None))
    if zone_id is not None:
        query = query.where(PLACES.c.zone_id == zone_id)
    return [_presence(row) for row in rows.execute(query.order_by(PLACES.c.zone_id, PLACES.c.subject_id))]


def count_inside(rows: Rows, site_id: str, zone_id: str) -> int:
    """How many count as inside a zone."""
    query = select(func.count()).where(PLACES.c.zone_id == zone_id, PLACES.c.site_id == site_id)
    return int(rows.scalar(query) or 0)


def forgive_everybody(rows: Rows, site_id: str) -> int:
    """Pardon everybody with a known place once; how many."""
    inside = update(PLACES).where(PLACES.c.site_id == site_id, PLACES.c.zone_id.is_not(None))
    return int(getattr(rows.execute(inside.values(forgiven=True)), "rowcount", 0))


def list_by_passage(rows: Rows, passage_id: str, subject_ids: Iterable[str]) -> list[Presence]:
    """Those of a passage who have not been seen anywhere else since."""
    query = select(PLACES).where(
        PLACES.c.subject_id.in_(sorted(subject_ids)), PLACES.c.passage_id == passage_id
    )
    return [_presence(row) for row in rows.execute(query.order_by(PLACES.c.subject_id))]


def forget_presence(rows: Rows, subject_id: str, site_id: str | None = None) -> None:
    """Erase where somebody is, and that they may be forgiven; at every site unless one is named."""
    gone = delete(PLACES).where(PLACES.c.subject_id == subject_id)
    rows.execute(gone if site_id is None else gone.where(PLACES.c.site_id == site_id))


def forget_leavers(rows: Rows, site_id: str, before: datetime) -> int:
    """Erase when somebody left, if that was before an instant; how many rows there were."""
    long_gone = (PLACES.c.zone_id.is_(None), PLACES.c.forgiven.is_(False), PLACES.c.since < before)
    gone = rows.execute(delete(PLACES).where(PLACES.c.site_id == site_id, *long_gone))
    return int(getattr(gone, "rowcount", 0))


def _presence(row: object) -> Presence:
    held = dict(getattr(row, "_mapping", {}))
    held.pop("site_id")
    return Presence(**held)
