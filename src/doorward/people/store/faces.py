"""Sealed templates, and the log of changes by which every process keeps its gallery true."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.core.batches import in_batches
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime

AT_ONCE = 500


class TemplateRow(Base):
    __tablename__ = "people_templates"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    template: Mapped[bytes]
    frames: Mapped[int]
    basis: Mapped[str]
    notice_version: Mapped[str]
    override: Mapped[bytes | None]
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GalleryChangeRow(Base):
    __tablename__ = "people_gallery_changes"

    number: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[bytes]
    site_id: Mapped[str] = mapped_column(index=True)
    subject_id: Mapped[str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log of changes. A number alone names none: that of a rolled-back unit comes again."""

    number: int = 0
    token: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFace:
    """What is kept beside a template."""

    frames: int
    basis: str
    notice_version: str
    override: bytes | None
    enrolled_at: datetime


def put_template(rows: Rows, row: TemplateRow) -> None:
    """Keep a template in place of a former one."""
    rows.execute(delete(TemplateRow).where(TemplateRow.person_id == row.person_id))
    rows.add(row)
    rows.flush()


def find_face(rows: Rows, site_id: str, person_id: str) -> KeptFace | None:
    """How a person's face was enrolled, without the template."""
    query = select(TemplateRow).where(TemplateRow.person_id == person_id, TemplateRow.site_id == site_id)
    row = rows.scalar(query)
    if row is None:
        return None
    return KeptFace(
        frames=row.frames,
        basis=row.basis,
        notice_version=row.notice_version,
        override=row.override,
        enrolled_at=row.enrolled_at,
    )


def forget_template(rows: Rows, person_id: str) -> bool:
    """Erase a template; whether there was one."""
    gone = rows.execute(delete(TemplateRow).where(TemplateRow.person_id == person_id))
    return bool(getattr(gone, "rowcount", 0))


def list_templates(rows: Rows, site_id: str, ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Ids and sealed templates of these persons."""
    for some in in_batches(ids, AT_ONCE):
        # By their ids alone: SQLite would read the whole site for each of these looks.
        query = select(TemplateRow.person_id, TemplateRow.site_id, TemplateRow.template)
        for row in rows.execute(query.where(TemplateRow.person_id.in_(some))):
            if row.site_id == site_id:
                yield row.person_id, row.template


def list_enrolled(rows: Rows, site_id: str) -> list[str]:
    """Everybody of the site whose face is enrolled."""
    query = select(TemplateRow.person_id).where(TemplateRow.site_id == site_id)
    return list(rows.execute(query.order_by(TemplateRow.person_id)).scalars())


def list_which(rows: Rows, site_id: str, ids: Sequence[str]) -> list[str]:
    """Whose face among these is enrolled."""
    enrolled: list[str] = []
    for some in in_batches(ids, AT_ONCE):
        query = select(TemplateRow.person_id, TemplateRow.site_id)
        found = rows.execute(query.where(TemplateRow.person_id.in_(some)))
        enrolled += [row.person_id for row in found if row.site_id == site_id]
    return enrolled


def list_with_template(rows: Rows, site_id: str, *, after: str, most: int) -> list[str]:
    """Whose template is kept here, in order, after one id."""
    here = (TemplateRow.site_id == site_id, TemplateRow.template != b"", TemplateRow.person_id > after)
    query = select(TemplateRow.person_id).where(*here).order_by(TemplateRow.person_id).limit(most)
    return list(rows.execute(query).scalars())


def empty_templates(rows: Rows, ids: Sequence[str]) -> None:
    """Keep these enrolled without their templates, which lie elsewhere now."""
    for some in in_batches(ids, AT_ONCE):
        rows.execute(update(TemplateRow).where(TemplateRow.person_id.in_(some)).values(template=b""))


def add_change(rows: Rows, site_id: str, subject_id: str) -> None:
    """Say that a subject's face or plate is not what it was."""
    rows.add(GalleryChangeRow(site_id=site_id, subject_id=subject_id, token=secrets.token_bytes(8)))
    rows.flush()


CHANGES: Any = GalleryChangeRow.__table__
# Built once: every identification asks this.
NEWEST_MARK = (
    select(CHANGES.c.number, CHANGES.c.token)
    .where(CHANGES.c.site_id == bindparam("site"))
    .order_by(CHANGES.c.number.desc())
    .limit(1)
)


def newest_mark(rows: Rows, site_id: str) -> Mark:
    """Where the site's log of changes ends; the one query before each identification."""
    row = rows.execute(NEWEST_MARK, {"site": site_id}).first()
    return Mark(row.number, bytes(row.token)) if row else Mark()


def has_mark(rows: Rows, mark: Mark) -> bool:
    """Whether the log still holds this place; False once the unit that wrote it was rolled back.

    Nor does it hold the beginning: what was added first may have been pruned.
    """
    token = rows.scalar(select(GalleryChangeRow.token).where(GalleryChangeRow.number == mark.number))
    return token is not None and bytes(token) == mark.token


def list_changed(rows: Rows, site_id: str, after: Mark) -> list[str]:
    """Whoever changed after this place."""
    query = select(GalleryChangeRow.subject_id).distinct()
    here = query.where(GalleryChangeRow.site_id == site_id, GalleryChangeRow.number > after.number)
    return list(rows.execute(here).scalars())


def forget_changes(rows: Rows, keep: int) -> int:
    """Prune each site's log to its newest entries, which include the very last; how many went."""
    gone = 0
    for site_id in list(rows.execute(select(GalleryChangeRow.site_id).distinct()).scalars()):
        numbers = select(GalleryChangeRow.number).where(GalleryChangeRow.site_id == site_id)
        oldest = rows.scalar(numbers.order_by(GalleryChangeRow.number.desc()).offset(keep - 1).limit(1))
        if oldest is not None:
            old = delete(GalleryChangeRow).where(
                GalleryChangeRow.site_id == site_id, GalleryChangeRow.number < oldest
            )
            gone += int(getattr(rows.execute(old), "rowcount", 0))
    return gone
