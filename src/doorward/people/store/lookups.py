"""Keyed look-ups of any site that an older key made, and their replacement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, true, update

from doorward.people.store.credentials import CredentialRow
from doorward.people.store.persons import PersonRow
from doorward.people.store.vehicles import VehicleRow
from doorward.platform.db import Rows
from doorward.vault.model import Place, Purpose


@dataclass(frozen=True, slots=True)
class _Column:
    """Where a look-up lies, and the sealed field that says what it is of."""

    row: Any
    subject: str
    sealed: str
    blind: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class OldLookup:
    """One look-up to make anew: of which row, whose, and the sealed value behind it."""

    row_id: str
    site_id: str
    subject_id: str
    place: Place
    sealed: bytes


COLUMNS: Mapping[Purpose, _Column] = {
    Purpose.BLIND_NAME: _Column(PersonRow, "id", "name", "name_blind"),
    Purpose.BLIND_ID_NUMBER: _Column(PersonRow, "id", "id_number", "id_number_blind"),
    Purpose.BLIND_CARD: _Column(CredentialRow, "person_id", "sealed", "blind", "card"),
    Purpose.BLIND_QR: _Column(CredentialRow, "person_id", "sealed", "blind", "qr"),
    Purpose.BLIND_PLATE: _Column(VehicleRow, "id", "plate", "plate_blind"),
}


def list_old(rows: Rows, purpose: Purpose, before: bytes, limit: int) -> list[OldLookup]:
    """Some of those that sort before this mark."""
    column = COLUMNS[purpose]
    table: Any = column.row.__table__
    query = select(table.c.id, table.c.site_id, table.c[column.subject], table.c[column.sealed]).where(
        table.c[column.blind] < before, table.c.kind == column.kind if column.kind else true()
    )
    found: Any = rows.execute(query.limit(limit))
    return [
        OldLookup(row_id, site_id, subject_id, Place(table.name, column.sealed, row_id), bytes(sealed))
        for row_id, site_id, subject_id, sealed in found
    ]


def count_old(rows: Rows, purpose: Purpose, before: bytes) -> int:
    """How many sort before this mark."""
    column = COLUMNS[purpose]
    table: Any = column.row.__table__
    query = select(func.count()).where(
        table.c[column.blind] < before, table.c.kind == column.kind if column.kind else true()
    )
    return int(rows.scalar(query) or 0)


def change_lookup(rows: Rows, purpose: Purpose, row_id: str, blind: bytes) -> None:
    """Keep a look-up made anew."""
    table: Any = COLUMNS[purpose].row.__table__
    rows.execute(update(table).where(table.c.id == row_id).values({COLUMNS[purpose].blind: blind}))
