"""Tables of the gallery."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from doorward.platform.db import Base
from doorward.platform.types import UtcDateTime

AT_ONCE = 500


class GenerationRow(Base):
    __tablename__ = "gallery_generations"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    length: Mapped[int]
    rotation_id: Mapped[str]
    rotation: Mapped[bytes]
    token: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    scheme: Mapped[str]
    distrusted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    trusted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ShelfRow(Base):
    __tablename__ = "gallery_shelves"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    generation_id: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]
    mask_seed: Mapped[bytes]


class BlockRow(Base):
    __tablename__ = "gallery_blocks"

    shelf_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    seal_id: Mapped[str] = mapped_column(unique=True)
    digest: Mapped[str] = mapped_column(index=True)
    seed: Mapped[bytes]
    living: Mapped[bytes]
    dirty: Mapped[bool]
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PlaceRow(Base):
    __tablename__ = "gallery_places"
    __table_args__ = (Index("ix_gallery_places_shelf_id", "shelf_id", "block", "slot", unique=True),)

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    generation_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    shelf_id: Mapped[str]
    block: Mapped[int]
    slot: Mapped[int]


class TemplateRow(Base):
    """A template that the key holder keeps itself, where it is a program of its own."""

    __tablename__ = "gallery_templates"

    subject_id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    key_id: Mapped[str] = mapped_column(unique=True)
    template: Mapped[bytes]
    enrolled_at: Mapped[datetime] = mapped_column(UtcDateTime)


GENERATIONS: Any = GenerationRow.__table__
SHELVES: Any = ShelfRow.__table__
BLOCKS: Any = BlockRow.__table__
PLACES: Any = PlaceRow.__table__
TEMPLATES: Any = TemplateRow.__table__
