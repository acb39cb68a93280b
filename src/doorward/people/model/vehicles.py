"""Vehicles known by their number plate."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A known vehicle without its plate."""

    id: str
    added_at: datetime
    owner_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class VehicleMatch:
    """Which known vehicle a read belongs to: None when unknown, or when two come into question."""

    vehicle_id: str | None
    ambiguous: bool = False
