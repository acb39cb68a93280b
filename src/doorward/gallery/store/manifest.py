"""Generations, shelves and blocks: which object is which block, under which sealed seed."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from doorward.gallery.model import Block, Generation, Place, SchemeName, Shelf, State
from doorward.gallery.store.tables import BLOCKS, GENERATIONS, PLACES, SHELVES
from doorward.platform.db import Rows

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
PRESENT_PLACE = (
    PRESENT.add_columns(PLACES.c.shelf_id, PLACES.c.block, PLACES.c.slot)
    .select_from(GENERATIONS)
    .outerjoin(
        PLACES,
        (PLACES.c.generation_id == GENERATIONS.c.id) & (PLACES.c.subject_id == bindparam("subject")),
    )
)
GENERATION_FIELDS = tuple(Generation.__dataclass_fields__)
BLOCK_FIELDS = tuple(Block.__dataclass_fields__)


def find_generation(rows: Rows, site_id: str, state: State) -> Generation | None:
    """The site's generation in this state, the oldest if there are several; None if there is none."""
    found = rows.execute(OLDEST, {"site": site_id, "state": state.value}).first()
    if found is None:
        return None
    values = {name: getattr(found, name) for name in GENERATION_FIELDS}
    return Generation(**values | {"state": State(found.state), "scheme": SchemeName(found.scheme)})


def list_alive(rows: Rows, site_id: str) -> list[Generation]:
    """The generations that a newcomer joins: the current one, and the one that a renewal fills."""
    found = (find_generation(rows, site_id, state) for state in (State.CURRENT, State.FILLING))
    return [generation for generation in found if generation is not None]


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


def list_shelved(rows: Rows, generation_id: str) -> list[tuple[Shelf, Block]]:
    """A generation's blocks, each with its shelf."""
    shelves = {shelf.id: shelf for shelf in list_shelves(rows, generation_id)}
    return [(shelves[block.shelf_id], block) for block in list_blocks(rows, generation_id)]


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
