"""The manifest: which object is which block, under which sealed seed, and who lies where."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.gallery.model import Block, Generation, KeptTemplate, Place, SchemeName, Shelf, State
from doorward.platform.db import Base, Rows
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
AT_ONCE = 500
# Built once: every search asks these.
OLDEST = (
    select(GENERATIONS)
    .where(GENERATIONS.c.site_id == bindparam("site"), GENERATIONS.c.state == bindparam("state"))
    .order_by(GENERATIONS.c.made_at)
    .limit(1)
)
PRESENT = OLDEST.with_only_columns(
    GENERATIONS.c.id, GENERATIONS.c.token, GENERATIONS.c.distrusted_at, GENERATIONS.c.trusted_at
)
PLACE_OF = select(PLACES.c.shelf_id, PLACES.c.block, PLACES.c.slot).where(
    PLACES.c.generation_id == bindparam("generation"), PLACES.c.subject_id == bindparam("subject")
)
PRESENT_PLACE = (
    PRESENT.add_columns(PLACES.c.shelf_id, PLACES.c.block, PLACES.c.slot)
    .select_from(GENERATIONS)
    .outerjoin(
        PLACES,
        (PLACES.c.generation_id == GENERATIONS.c.id) & (PLACES.c.subject_id == bindparam("subject")),
    )
)
SUBJECT_AT = select(PLACES.c.subject_id).where(
    PLACES.c.shelf_id == bindparam("shelf"),
    PLACES.c.block == bindparam("block"),
    PLACES.c.slot == bindparam("slot"),
)


def find_generation(rows: Rows, site_id: str, state: State) -> Generation | None:
    """The site's generation in this state, the oldest if there are several; None if there is none."""
    found = rows.execute(OLDEST, {"site": site_id, "state": state.value}).first()
    if found is None:
        return None
    values = {name: getattr(found, name) for name in GENERATION_FIELDS}
    return Generation(**values | {"state": State(found.state), "scheme": SchemeName(found.scheme)})


def is_present(rows: Rows, site_id: str, held: Generation) -> bool:
    """Whether a generation is still the current one, and nothing about it has changed."""
    found = rows.execute(PRESENT, {"site": site_id, "state": State.CURRENT.value}).first()
    return found is not None and tuple(found) == (held.id, held.token, held.distrusted_at, held.trusted_at)


def find_present_place(
    rows: Rows, site_id: str, held: Generation, subject_id: str
) -> tuple[bool, Place | None]:
    """The same, and where somebody lies in it: the one query before a claim is verified."""
    asked = {"site": site_id, "state": State.CURRENT.value, "subject": subject_id}
    found = rows.execute(PRESENT_PLACE, asked).first()
    if found is None:
        return False, None
    state, (shelf_id, block, slot) = tuple(found)[:4], tuple(found)[4:]
    same = state == (held.id, held.token, held.distrusted_at, held.trusted_at)
    return same, Place(shelf_id, block, slot) if shelf_id is not None else None


def add_generation(rows: Rows, site_id: str, generation: Generation) -> None:
    """Begin a generation."""
    values = {name: getattr(generation, name) for name in GENERATION_FIELDS}
    rows.execute(insert(GENERATIONS), values | {"site_id": site_id})


def change_generation(rows: Rows, generation_id: str, **values: Any) -> None:
    """Set some of a generation's columns."""
    rows.execute(update(GENERATIONS).where(GENERATIONS.c.id == generation_id).values(**values))


def forget_generation(rows: Rows, generation_id: str, *, most: int) -> bool:
    """Forget a generation that nobody searches, a part at a time; whether it is gone whole."""
    some = select(PLACES.c.subject_id).where(PLACES.c.generation_id == generation_id).limit(most)
    here = PLACES.c.generation_id == generation_id
    gone = rows.execute(delete(PLACES).where(here, PLACES.c.subject_id.in_(some)))
    if getattr(gone, "rowcount", 0):
        return False
    shelves = select(SHELVES.c.id).where(SHELVES.c.generation_id == generation_id)
    rows.execute(delete(BLOCKS).where(BLOCKS.c.shelf_id.in_(shelves)))
    rows.execute(delete(SHELVES).where(SHELVES.c.generation_id == generation_id))
    rows.execute(delete(GENERATIONS).where(GENERATIONS.c.id == generation_id))
    return True


def list_shelves(rows: Rows, generation_id: str) -> list[Shelf]:
    """A generation's shelves in order."""
    query = select(SHELVES).where(SHELVES.c.generation_id == generation_id).order_by(SHELVES.c.number)
    return [
        Shelf(id=row.id, generation_id=row.generation_id, number=row.number, mask_seed=row.mask_seed)
        for row in rows.execute(query)
    ]


def add_shelf(rows: Rows, site_id: str, shelf: Shelf) -> None:
    """Add a shelf at the end."""
    values = {"id": shelf.id, "generation_id": shelf.generation_id, "number": shelf.number}
    rows.execute(insert(SHELVES), values | {"mask_seed": shelf.mask_seed, "site_id": site_id})


def list_blocks(rows: Rows, generation_id: str) -> list[Block]:
    """A generation's blocks, shelf by shelf."""
    query = (
        select(BLOCKS)
        .join(SHELVES, SHELVES.c.id == BLOCKS.c.shelf_id)
        .where(SHELVES.c.generation_id == generation_id)
        .order_by(SHELVES.c.number, BLOCKS.c.number)
    )
    return [Block(**{name: getattr(row, name) for name in BLOCK_FIELDS}) for row in rows.execute(query)]


def find_block(rows: Rows, shelf_id: str, number: int) -> Block | None:
    """One block."""
    found = rows.execute(
        select(BLOCKS).where(BLOCKS.c.shelf_id == shelf_id, BLOCKS.c.number == number)
    ).first()
    return Block(**{name: getattr(found, name) for name in BLOCK_FIELDS}) if found else None


def put_block(rows: Rows, site_id: str, block: Block, *, sealed_at: datetime) -> None:
    """Keep a block in place of its former sealing."""
    here = (BLOCKS.c.shelf_id == block.shelf_id, BLOCKS.c.number == block.number)
    rows.execute(delete(BLOCKS).where(*here))
    values = {name: getattr(block, name) for name in BLOCK_FIELDS}
    rows.execute(insert(BLOCKS), values | {"site_id": site_id, "sealed_at": sealed_at})


def mark_block(rows: Rows, block: Block, *, living: bytes, dirty: bool) -> None:
    """Say who of a block is alive, without sealing it anew."""
    here = update(BLOCKS).where(BLOCKS.c.shelf_id == block.shelf_id, BLOCKS.c.number == block.number)
    rows.execute(here.values(living=living, dirty=dirty))


def list_digests(rows: Rows) -> set[str]:
    """Every object that any block of any site is."""
    return {row.digest for row in rows.execute(select(BLOCKS.c.digest))}


def find_place(rows: Rows, generation_id: str, subject_id: str) -> Place | None:
    """Where somebody lies."""
    found = rows.execute(PLACE_OF, {"generation": generation_id, "subject": subject_id}).first()
    return Place(found.shelf_id, found.block, found.slot) if found else None


def find_subject(rows: Rows, place: Place) -> str | None:
    """Who lies at a place."""
    here = {"shelf": place.shelf_id, "block": place.block, "slot": place.slot}
    subject_id: str | None = rows.scalar(SUBJECT_AT, here)
    return subject_id


def add_places(rows: Rows, site_id: str, generation_id: str, places: Iterable[tuple[str, Place]]) -> None:
    """Say who lies where."""
    values = [
        {
            "generation_id": generation_id,
            "subject_id": subject_id,
            "site_id": site_id,
            "shelf_id": place.shelf_id,
            "block": place.block,
            "slot": place.slot,
        }
        for subject_id, place in places
    ]
    if values:
        rows.execute(insert(PLACES), values)


def forget_place(rows: Rows, subject_id: str) -> None:
    """Forget where somebody lies, in every generation."""
    rows.execute(delete(PLACES).where(PLACES.c.subject_id == subject_id))


def take_places(rows: Rows, subject_ids: Sequence[str]) -> list[Place]:
    """Forget where these lie, in every generation; everywhere that they lay."""
    taken = []
    for start in range(0, len(subject_ids), AT_ONCE):
        these = PLACES.c.subject_id.in_(subject_ids[start : start + AT_ONCE])
        query = select(PLACES.c.shelf_id, PLACES.c.block, PLACES.c.slot).where(these)
        found = [Place(row.shelf_id, row.block, row.slot) for row in rows.execute(query)]
        if found:
            rows.execute(delete(PLACES).where(these))
        taken += found
    return taken


def list_missing(rows: Rows, of: str, into: str, *, most: int) -> list[str]:
    """Who lies in one generation and not yet in another."""
    there = select(PLACES.c.subject_id).where(PLACES.c.generation_id == into)
    query = select(PLACES.c.subject_id).where(PLACES.c.generation_id == of, PLACES.c.subject_id.not_in(there))
    return list(rows.execute(query.order_by(PLACES.c.subject_id).limit(most)).scalars())


def list_members(rows: Rows, shelf_id: str, number: int) -> list[tuple[str, int]]:
    """Who lies in a block, with their slots."""
    here = (PLACES.c.shelf_id == shelf_id, PLACES.c.block == number)
    query = select(PLACES.c.subject_id, PLACES.c.slot).where(*here)
    return [(row.subject_id, row.slot) for row in rows.execute(query)]


def list_placed(rows: Rows, generation_id: str) -> set[str]:
    """Everybody in a generation."""
    query = select(PLACES.c.subject_id).where(PLACES.c.generation_id == generation_id)
    return set(rows.execute(query).scalars())


def count_places(rows: Rows, generation_id: str) -> int:
    """How many lie in a generation."""
    query = select(func.count()).select_from(PLACES).where(PLACES.c.generation_id == generation_id)
    return int(rows.scalar(query) or 0)


def put_template(rows: Rows, site_id: str, kept: KeptTemplate, *, enrolled_at: datetime) -> None:
    """Keep a sealed template in place of a former one."""
    forget_template(rows, kept.subject_id)
    values = {name: getattr(kept, name) for name in KeptTemplate.__dataclass_fields__}
    rows.execute(insert(TEMPLATES), values | {"site_id": site_id, "enrolled_at": enrolled_at})


def list_templates(rows: Rows, site_id: str, subject_ids: Sequence[str]) -> Iterator[KeptTemplate]:
    """The sealed templates of these subjects."""
    columns = (TEMPLATES.c.subject_id, TEMPLATES.c.key_id, TEMPLATES.c.template)
    for start in range(0, len(subject_ids), AT_ONCE):
        some = TEMPLATES.c.subject_id.in_(subject_ids[start : start + AT_ONCE])
        for row in rows.execute(select(*columns).where(TEMPLATES.c.site_id == site_id, some)):
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


GENERATION_FIELDS = tuple(Generation.__dataclass_fields__)
BLOCK_FIELDS = tuple(Block.__dataclass_fields__)
