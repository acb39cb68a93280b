"""Vehicles known by their number plate."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Listing(StrEnum):
    """Whether a known vehicle may pass at all."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """A known vehicle without its plate and label."""

    id: str
    added_at: datetime
    owner_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended: bool = False
    listing: Listing = Listing.ALLOW


@dataclass(frozen=True, slots=True)
class VehicleView:
    """What somebody with a purpose was shown."""

    vehicle: Vehicle
    plate: str
    label: str | None


@dataclass(frozen=True, slots=True)
class VehicleMatch:
    """Which known vehicle a read belongs to: None when unknown, or when two come into question."""

    vehicle_id: str | None
    ambiguous: bool = False
