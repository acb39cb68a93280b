"""Who lies where."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, insert, select

from doorward.core.batches import in_batches
from doorward.gallery.model import Place
from doorward.gallery.store.tables import AT_ONCE, PLACES
from doorward.platform.db import Rows

PLACE_OF = select(PLACES.c.shelf_id, PLACES.c.block, PLACES.c.slot).where(
    PLACES.c.generation_id == bindparam("generation"), PLACES.c.subject_id == bindparam("subject")
)
SUBJECT_AT = select(PLACES.c.subject_id).where(
    PLACES.c.shelf_id == bindparam("shelf"),
    PLACES.c.block == bindparam("block"),
    PLACES.c.slot == bindparam("slot"),
)


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
    for some in in_batches(subject_ids, AT_ONCE):
        these = PLACES.c.subject_id.in_(some)
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
