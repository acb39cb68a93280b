"""Sealed templates, and the log of changes by which every process keeps its gallery true."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class TemplateRow(Base):
    __tablename__ = "people_templates"

    person_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    template: Mapped[bytes]
    frames: Mapped[int]
    basis: Mapped[str]
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class GalleryChangeRow(Base):
    __tablename__ = "people_gallery_changes"

    number: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    subject_id: Mapped[str]


def put_template(rows: Rows, row: TemplateRow) -> None:
    rows.execute(delete(TemplateRow).where(TemplateRow.person_id == row.person_id))
    rows.add(row)
    rows.flush()


def forget_template(rows: Rows, person_id: str) -> bool:
    gone = rows.execute(delete(TemplateRow).where(TemplateRow.person_id == person_id))
    return bool(getattr(gone, "rowcount", 0))


def list_templates(rows: Rows, site_id: str, ids: Sequence[str] | None = None) -> list[tuple[str, bytes]]:
    query = select(TemplateRow.person_id, TemplateRow.template).where(TemplateRow.site_id == site_id)
    if ids is not None:
        query = query.where(TemplateRow.person_id.in_(ids))
    return [(row.person_id, row.template) for row in rows.execute(query)]


def add_change(rows: Rows, site_id: str, subject_id: str) -> None:
    rows.add(GalleryChangeRow(site_id=site_id, subject_id=subject_id))
    rows.flush()


def newest_change(rows: Rows, site_id: str) -> int:
    query = select(func.max(GalleryChangeRow.number)).where(GalleryChangeRow.site_id == site_id)
    return int(rows.scalar(query) or 0)


def list_changed(rows: Rows, site_id: str, after: int) -> list[str]:
    query = select(GalleryChangeRow.subject_id).distinct()
    here = query.where(GalleryChangeRow.site_id == site_id, GalleryChangeRow.number > after)
    return list(rows.execute(here).scalars())
