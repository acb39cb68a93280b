"""Vehicles known by their plate."""

from collections.abc import Sequence
from datetime import datetime

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid
from doorward.core.ids import new_id
from doorward.people.model import Listing, Vehicle, VehicleMatch, VehicleView
from doorward.people.rules import require_purpose
from doorward.people.service.looking_up import lookup_of, lookups_of
from doorward.people.service.persons import get_person
from doorward.people.service.recogniser import Recogniser, announce, nobody_here
from doorward.people.service.templates import plate_place
from doorward.people.store import persons
from doorward.people.store import vehicles as store
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault, make_subject_key, open_key
from doorward.vision.plates.grammar import normalise

LONGEST_LABEL = 100


def add_vehicle(
    unit: Unit,
    vault: Vault,
    plate: str,
    *,
    owner_id: str | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    label: str | None = None,
    listing: Listing = Listing.ALLOW,
) -> Vehicle:
    """Register a vehicle; `Conflict` if its plate is known already."""
    form = normalise(plate)
    if _with_plate(unit, vault, form) is not None:
        raise Conflict("A vehicle with this plate is registered already.")
    if valid_from and valid_until and valid_from >= valid_until:
        raise Invalid("The validity ends before it begins: swap the two times.")
    if owner_id is not None:
        get_person(unit, owner_id)
    if label is not None and len(label) > LONGEST_LABEL:
        raise Invalid(f"A label has at most {LONGEST_LABEL} characters.")
    vehicle = Vehicle(
        id=new_id("vehicle"),
        added_at=unit.now,
        owner_id=owner_id,
        valid_from=valid_from,
        valid_until=valid_until,
        listing=listing,
    )
    key = make_subject_key(unit, vault, vehicle.id)
    sealed = {
        "plate": key.seal(plate_place(vehicle.id), form.encode()),
        "plate_blind": lookup_of(vault, Purpose.BLIND_PLATE, form),
        "label": key.seal(_label_place(vehicle.id), label.encode()) if label else None,
    }
    store.add_vehicle(unit.rows, unit.site_id, vehicle, sealed)
    announce(unit, vehicle.id)
    record(unit, "vehicle.added", subject_id=vehicle.id, listing=listing)
    return vehicle


def find_by_plate(unit: Unit, vault: Vault, plate: str) -> str | None:
    """The vehicle with exactly this plate; the search is written down."""
    found = _with_plate(unit, vault, normalise(plate))
    record(unit, "vehicles.searched", subject_id=found, found=int(found is not None))
    return found


def find_vehicle(unit: Unit, recogniser: Recogniser, candidates: Sequence[tuple[str, float]]) -> VehicleMatch:
    """The known vehicle that a read (texts with probabilities) belongs to; unknown is an answer."""
    vehicle_id, found = recogniser.gallery(unit).plates.match(candidates)
    return VehicleMatch(vehicle_id, found.ambiguous)


def list_vehicle(unit: Unit, vehicle_id: str, listing: Listing) -> Vehicle:
    """Put a vehicle on the allow or the deny list."""
    get_vehicle(unit, vehicle_id)
    store.change_vehicle(unit.rows, vehicle_id, listing=listing)
    record(unit, "vehicle.listed", subject_id=vehicle_id, listing=listing)
    return get_vehicle(unit, vehicle_id)


def view_vehicle(unit: Unit, vault: Vault, vehicle_id: str, *, purpose: str) -> VehicleView:
    """Plate and label, for a stated purpose; the look is written down."""
    require_purpose(purpose)
    vehicle = get_vehicle(unit, vehicle_id)
    sealed = store.find_sealed(unit.rows, unit.site_id, vehicle_id)
    assert sealed is not None
    key = open_key(unit, vault, vehicle_id)
    plate = key.unseal(plate_place(vehicle_id), sealed[0]).decode()
    label = key.unseal(_label_place(vehicle_id), sealed[1]).decode() if sealed[1] else None
    record(unit, "vehicle.viewed", subject_id=vehicle_id, purpose=purpose)
    return VehicleView(vehicle, plate, label)


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
    persons.leave_groups(unit.rows, vehicle_id)
    store.forget_vehicle(unit.rows, vehicle_id)
    announce(unit, vehicle_id)


def _with_plate(unit: Unit, vault: Vault, form: str) -> str | None:
    return store.find_by_plate(unit.rows, unit.site_id, lookups_of(vault, Purpose.BLIND_PLATE, form))


def _label_place(vehicle_id: str) -> Place:
    return Place("people_vehicles", "label", vehicle_id)
