"""Reading the log, page by page."""

from doorward.audit import store
from doorward.audit.model import Entry
from doorward.audit.service.recording import record, written
from doorward.platform.db import Unit
from doorward.platform.paging import Page, PageRequest, make_page


def list_entries(unit: Unit, wanted: PageRequest, *, event: str | None = None) -> Page[Entry]:
    """The site's entries, newest first; reading the log is itself recorded."""
    found = store.list_entries(
        written(unit), unit.site_id, before=wanted.before_number, limit=wanted.limit + 1, event=event
    )
    page = make_page(found, wanted, lambda entry: str(entry.position))
    record(unit, "audit.read", entries=len(page.items))
    return page
