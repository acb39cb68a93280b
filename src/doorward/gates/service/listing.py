"""Looking at passages; every look is recorded."""

from datetime import UTC, datetime

from doorward.audit.service import record
from doorward.core.errors import NotFound
from doorward.gates.model import Numbered, Passage
from doorward.gates.store import passages, places
from doorward.gates.store.passages import Wanted
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest


def in_utc(moment: datetime | None) -> datetime | None:
    """The instant; one without a zone is taken as UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def list_planned_sites(unit: Unit) -> list[str]:
    """Every site of this house that has a plan."""
    return places.list_site_ids(unit.rows)


def list_passages(unit: Unit, wanted: Wanted, page: PageRequest) -> list[Numbered]:
    """Passages, latest first; one more than a page holds."""
    before = page.before_number
    record(unit, "passages.viewed", subject_id=wanted.subject_id, gate=wanted.gate_id)
    return passages.list_passages(unit.rows, unit.site_id, wanted, before=before, limit=page.limit + 1)


def get_passage(unit: Unit, passage_id: str) -> Passage:
    """One passage with every rule's answer."""
    found = passages.find_passage(unit.rows, unit.site_id, passage_id)
    if found is None:
        raise NotFound("There is no such passage at this site.")
    record(unit, "passage.viewed", subject_id=found.subject_id, passage=passage_id)
    return found
