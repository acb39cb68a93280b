"""Vehicles: sealed plates and keyed look-ups."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from doorward.people.model import Listing, Vehicle
from doorward.platform.db import Base, Rows
from doorward.platform.types import UtcDateTime


class VehicleRow(Base):
    __tablename__ = "people_vehicles"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str] = mapped_column(index=True)
    plate: Mapped[bytes]
    plate_blind: Mapped[bytes] = mapped_column(index=True)
    label: Mapped[bytes | None]
    listing: Mapped[str]
    owner_id: Mapped[str | None]
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    suspended: Mapped[bool] = mapped_column(default=False)


def add_vehicle(rows: Rows, site_id: str, vehicle: Vehicle, sealed: dict[str, bytes | None]) -> None:
    """`sealed` holds plate, plate_blind and label."""
    rows.add(
        VehicleRow(
            id=vehicle.id,
            site_id=site_id,
            owner_id=vehicle.owner_id,
            added_at=vehicle.added_at,
            valid_from=vehicle.valid_from,
            valid_until=vehicle.valid_until,
            suspended=vehicle.suspended,
            listing=vehicle.listing,
            **sealed,
        )
    )
    rows.flush()


def find_vehicle(rows: Rows, site_id: str, vehicle_id: str) -> Vehicle | None:
    row = rows.scalar(select(VehicleRow).where(VehicleRow.id == vehicle_id, VehicleRow.site_id == site_id))
    return _vehicle(row) if row else None


def find_by_plate(rows: Rows, site_id: str, blinds: Sequence[bytes]) -> str | None:
    query = select(VehicleRow.id).where(VehicleRow.site_id == site_id, VehicleRow.plate_blind.in_(blinds))
    found: str | None = rows.scalar(query.limit(1))
    return found


def list_vehicles(rows: Rows, site_id: str, after: str | None, limit: int) -> list[Vehicle]:
    query = select(VehicleRow).where(VehicleRow.site_id == site_id, VehicleRow.id > (after or ""))
    return [_vehicle(row) for row in rows.execute(query.order_by(VehicleRow.id).limit(limit)).scalars()]


def find_sealed(rows: Rows, site_id: str, vehicle_id: str) -> tuple[bytes, bytes | None] | None:
    """Sealed plate and label."""
    query = select(VehicleRow.plate, VehicleRow.label)
    row = rows.execute(query.where(VehicleRow.id == vehicle_id, VehicleRow.site_id == site_id)).first()
    return (row.plate, row.label) if row else None


def list_owned(rows: Rows, site_id: str, owner_id: str) -> list[str]:
    """Ids of a person's vehicles."""
    query = select(VehicleRow.id).where(VehicleRow.site_id == site_id, VehicleRow.owner_id == owner_id)
    return list(rows.execute(query.order_by(VehicleRow.id)).scalars())


def disown(rows: Rows, owner_id: str) -> None:
    """Name this person as nobody's owner any more."""
    rows.execute(update(VehicleRow).where(VehicleRow.owner_id == owner_id).values(owner_id=None))


def list_plates(rows: Rows, site_id: str, ids: Sequence[str] | None = None) -> list[tuple[str, bytes]]:
    query = select(VehicleRow.id, VehicleRow.plate).where(VehicleRow.site_id == site_id)
    if ids is not None:
        query = query.where(VehicleRow.id.in_(ids))
    return [(row.id, row.plate) for row in rows.execute(query)]


def change_vehicle(rows: Rows, vehicle_id: str, **values: object) -> None:
    rows.execute(update(VehicleRow).where(VehicleRow.id == vehicle_id).values(**values))


def forget_vehicle(rows: Rows, vehicle_id: str) -> None:
    rows.execute(delete(VehicleRow).where(VehicleRow.id == vehicle_id))


def _vehicle(row: VehicleRow) -> Vehicle:
    return Vehicle(
        id=row.id,
        added_at=row.added_at,
        owner_id=row.owner_id,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        suspended=row.suspended,
        listing=Listing(row.listing),
    )
