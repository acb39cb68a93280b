"""Passages as the rules ask for them: who went where a moment ago, and which permits still count."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from doorward.gates.model import Passage, PassageState
from doorward.gates.store.passages import TABLE, TOLD_LATE, WENT_THROUGH, passage_of
from doorward.gates.store.whereabouts import PLACES
from doorward.platform.db import Rows


def last_through(rows: Rows, subject_id: str, gate_ids: Iterable[str]) -> datetime | None:
    """When a subject last went, or was allowed, through any of these gates, alone or beside another."""
    through = (TABLE.c.gate_id.in_(sorted(gate_ids)), TABLE.c.state.in_(WENT_THROUGH))
    both = (
        select(TABLE.c.seen_at)
        .where(column == subject_id, *through)
        .order_by(TABLE.c.seen_at.desc())
        .limit(1)
        .scalar_subquery()
        for column in (TABLE.c.subject_id, TABLE.c.companion_id)
    )
    row = rows.execute(select(*both)).one()
    return max((at for at in row if at is not None), default=None)


def list_recent(
    rows: Rows, gate_ids: Iterable[str], since: datetime, *, most: int, states: Iterable[str] | None = None
) -> list[Passage]:
    """The latest passages at some gates since an instant, latest first."""
    query = select(TABLE).where(TABLE.c.gate_id.in_(sorted(gate_ids)), TABLE.c.decided_at >= since)
    if states is not None:
        query = query.where(TABLE.c.state.in_(sorted(states)))
    return [
        passage_of(row) for row in rows.execute(query.order_by(TABLE.c.number.desc()).limit(most)).mappings()
    ]


def oldest_permit(
    rows: Rows, gate_ids: Iterable[str], since: datetime, until: datetime, after: datetime | None
) -> datetime | None:
    """When the first permit of that time was given that no opening has spent yet."""
    here = (TABLE.c.gate_id.in_(sorted(gate_ids)), TABLE.c.state.in_(WENT_THROUGH))
    found: list[datetime] = []
    for moment, whose in ((TABLE.c.decided_at, TABLE.c.offline.is_(False)), (TABLE.c.seen_at, TOLD_LATE)):
        when = (moment >= since, moment <= until, *((moment > after,) if after else ()))
        query = select(moment).where(*here, *when, whose).order_by(moment).limit(1)
        found += rows.execute(query).scalars()
    return min(found, default=None)


def first_refused(rows: Rows, gate_id: str, because: str, since: datetime) -> datetime | None:
    """When a gate first refused for one reason since an instant."""
    refused = (TABLE.c.gate_id == gate_id, TABLE.c.decided_at >= since, TABLE.c.because == because)
    found: datetime | None = rows.scalar(
        select(TABLE.c.decided_at).where(*refused).order_by(TABLE.c.decided_at).limit(1)
    )
    return found


def list_unsure(rows: Rows, site_id: str, before: datetime) -> list[Passage]:
    """Permits without an outcome, lapsed by then, by which somebody still counts as moved."""
    counted = select(PLACES.c.passage_id).where(PLACES.c.site_id == site_id)
    unsure = (TABLE.c.state == PassageState.UNREPORTED.value, TABLE.c.expires_at < before)
    query = select(TABLE).where(TABLE.c.id.in_(counted), *unsure)
    return [passage_of(row) for row in rows.execute(query).mappings()]
