"""Letting old segments go: bodies and salts are erased, leaf hashes stay, and the log says so."""

from datetime import datetime

from doorward.audit import store
from doorward.audit.model import Segment, microseconds
from doorward.audit.rules import EXPIRED, runs_of
from doorward.audit.service.recording import record, written
from doorward.core.errors import Conflict, Invalid
from doorward.platform.db import Unit

MOST_DECLARED = 5_000


def expire_segment(unit: Unit, segment: Segment, *, before: datetime | None = None) -> int:
    """Erase the bodies of the site's entries in a segment and return how many.

    With `before`, of those older than that: while a clock was set back, old ones may lie behind new ones.

    `Conflict` unless a signed head covers the segment: what nobody signed must not vanish. Entries that
    tell of an expiry or an erasure stay.
    """
    if not 0 <= segment.first <= segment.last:
        raise Invalid("A segment runs from a position to the same or a later one.")
    head = store.find_head(unit.rows)
    if head is None or segment.last >= head.head.size:
        raise Conflict("This segment is not covered by a signed head yet: sign one first.")
    limit = microseconds(before) if before is not None else None
    chosen = store.list_strippable(written(unit), unit.site_id, segment, limit)
    for at in range(0, len(chosen), MOST_DECLARED):
        positions = chosen[at : at + MOST_DECLARED]
        store.strip_bodies(unit.rows, positions)
        # Each position by itself: a wider claim would cover for bodies that somebody else made vanish.
        record(unit, EXPIRED, runs=runs_of(positions), entries=len(positions), head=head.head.size)
    return len(chosen)


def segment_before(unit: Unit, moment: datetime) -> Segment | None:
    """The site's entries older than an instant, as far as a signed head covers them; None if none."""
    found = store.find_last_before(written(unit), unit.site_id, microseconds(moment))
    head = store.find_head(unit.rows)
    if found is None or head is None or found.first >= head.head.size:
        return None
    return Segment(found.first, min(found.last, head.head.size - 1))
