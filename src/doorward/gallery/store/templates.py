"""Templates that a key holder keeps for itself, sealed."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from doorward.core.batches import in_batches
from doorward.gallery.model import KeptTemplate
from doorward.gallery.store.tables import AT_ONCE, TEMPLATES
from doorward.platform.db import Rows


def put_template(rows: Rows, site_id: str, kept: KeptTemplate, *, enrolled_at: datetime) -> None:
    """Keep a sealed template in place of a former one."""
    forget_template(rows, kept.subject_id)
    values = {name: getattr(kept, name) for name in KeptTemplate.__dataclass_fields__}
    rows.execute(insert(TEMPLATES), values | {"site_id": site_id, "enrolled_at": enrolled_at})


def list_templates(rows: Rows, site_id: str, subject_ids: Sequence[str]) -> Iterator[KeptTemplate]:
    """The sealed templates of these subjects."""
    for some in in_batches(subject_ids, AT_ONCE):
        # By their ids alone: SQLite would read the whole site for each of these looks.
        for row in rows.execute(select(TEMPLATES).where(TEMPLATES.c.subject_id.in_(some))):
            if row.site_id == site_id:
                yield KeptTemplate(row.subject_id, row.key_id, row.template)


def forget_template(rows: Rows, subject_id: str) -> None:
    """Erase a sealed template."""
    rows.execute(delete(TEMPLATES).where(TEMPLATES.c.subject_id == subject_id))


def list_kept(rows: Rows, site_id: str, *, after: str, before: datetime, most: int) -> list[str]:
    """Whose templates are kept since before then, in order, from one id on."""
    here = (TEMPLATES.c.site_id == site_id, TEMPLATES.c.subject_id > after, TEMPLATES.c.enrolled_at < before)
    query = select(TEMPLATES.c.subject_id).where(*here).order_by(TEMPLATES.c.subject_id).limit(most)
    return list(rows.execute(query).scalars())


def list_sites(rows: Rows) -> list[str]:
    """Every site of which templates are kept here."""
    return list(rows.execute(select(TEMPLATES.c.site_id).distinct()).scalars())
