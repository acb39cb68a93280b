"""Vehicles known by their plate."""

from collections.abc import Sequence
from datetime import datetime

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid
from doorward.core.ids import new_id
from doorward.people.model import Vehicle, VehicleMatch
from doorward.people.service.persons import get_person
from doorward.people.service.recogniser import Recogniser, announce, nobody_here, plate_place
from doorward.people.store import vehicles as store
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Purpose
from doorward.vault.service import Vault, make_subject_key, open_key
from doorward.vision.plates.grammar import normalise
from doorward.vision.plates.known import match


def add_vehicle(
    unit: Unit,
    vault: Vault,
    plate: str,
    *,
    owner_id: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Vehicle:
    """Register a vehicle; `Conflict` if its plate is known already."""
    form = normalise(plate)
    if find_by_plate(unit, vault, form) is not None:
        raise Conflict("A vehicle with this plate is registered already.")
    if valid_from and valid_until and valid_from >= valid_until:
        raise Invalid("The validity ends before it begins: swap the two times.")
    if owner_id is not None:
        get_person(unit, owner_id)
    vehicle = Vehicle(
        id=new_id("vehicle"),
        added_at=unit.now,
        owner_id=owner_id,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    sealed = make_subject_key(unit, vault, vehicle.id).seal(plate_place(vehicle.id), form.encode())
    store.add_vehicle(unit.rows, unit.site_id, vehicle, sealed, vault.blind(Purpose.BLIND_PLATE, form))
    announce(unit, vehicle.id)
    record(unit, "vehicle.added", subject_id=vehicle.id)
    return vehicle


def find_by_plate(unit: Unit, vault: Vault, plate: str) -> str | None:
    """The vehicle with exactly this plate."""
    blinds = vault.blinds(Purpose.BLIND_PLATE, normalise(plate))
    return store.find_by_plate(unit.rows, unit.site_id, blinds)


def find_vehicle(unit: Unit, recogniser: Recogniser, candidates: Sequence[tuple[str, float]]) -> VehicleMatch:
    """The known vehicle that a read (texts with probabilities) belongs to; unknown is an answer."""
    plates = recogniser.gallery(unit).plates
    found = match(candidates, plates.values())
    owners = [vehicle_id for vehicle_id, plate in plates.items() if plate == found.text]
    return VehicleMatch(owners[0] if owners else None, found.ambiguous)


def view_plate(unit: Unit, vault: Vault, vehicle_id: str, *, purpose: str) -> str:
    """The plate, for a stated purpose; the look is written down."""
    if len(purpose.strip()) < 3:
        raise Invalid("State the purpose of looking in at least 3 characters.")
    get_vehicle(unit, vehicle_id)
    sealed = dict(store.list_plates(unit.rows, unit.site_id, [vehicle_id]))[vehicle_id]
    plate = open_key(unit, vault, vehicle_id).unseal(plate_place(vehicle_id), sealed).decode()
    record(unit, "vehicle.viewed", subject_id=vehicle_id)
    return plate


def get_vehicle(unit: Unit, vehicle_id: str) -> Vehicle:
    """The vehicle without its plate; `NotFound` if not of this site."""
    vehicle = store.find_vehicle(unit.rows, unit.site_id, vehicle_id)
    if vehicle is None:
        raise nobody_here()
    return vehicle


def list_vehicles(unit: Unit, wanted: PageRequest) -> list[Vehicle]:
    """One more than asked for, so that the caller sees whether there is a next page."""
    return store.list_vehicles(unit.rows, unit.site_id, wanted.after, wanted.limit + 1)


def forget_rows(unit: Unit, vehicle_id: str) -> None:
    """Remove a vehicle's record; its key goes with the vault's erasure."""
    get_vehicle(unit, vehicle_id)
    store.forget_vehicle(unit.rows, vehicle_id)
    announce(unit, vehicle_id)
