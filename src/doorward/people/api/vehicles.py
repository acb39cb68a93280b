"""Vehicles over HTTP: lists show ids; a plate is shown one at a time, for a purpose."""

from fastapi import Depends

from doorward.core.permissions import Permission
from doorward.people import service
from doorward.people.api.asked import ListingIn, PlateIn, SuspensionIn, VehicleIn
from doorward.people.api.caller import vault_of
from doorward.people.api.persons import bound_of, refused_look
from doorward.people.api.told import Done, FoundOut, ReceiptOut, VehicleOut, VehiclesOut, VehicleViewOut
from doorward.people.model.approvals import Action
from doorward.people.service.approvals import require_few
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX + "/vehicles", tag="people")
READ, MANAGE = Permission.VEHICLES_READ, Permission.VEHICLES_MANAGE


@routes.get("", needs=READ)
def list_vehicles(
    wanted: PageRequest = Depends(page_request), call: Call = Depends(current_call)
) -> VehiclesOut:
    """Ids, lists and limits; no plates."""
    with call.unit() as unit:
        page = make_page(service.list_vehicles(unit, wanted), wanted, lambda vehicle: vehicle.id)
    items = [VehicleOut.model_validate(vehicle) for vehicle in page.items]
    return VehiclesOut(items=items, next_cursor=page.next_cursor)


@routes.post("", needs=MANAGE)
def add_vehicle(body: VehicleIn, call: Call = Depends(current_call)) -> VehicleOut:
    """Register a vehicle."""

    def deed(unit: Unit) -> VehicleOut:
        return VehicleOut.model_validate(service.add_vehicle(unit, vault_of(call), **dict(body)))

    return call.once(VehicleOut, deed, about=lambda added: added.id)


@routes.post("/search", needs=READ)
def search(body: PlateIn, call: Call = Depends(current_call)) -> FoundOut:
    """The id of the vehicle with exactly this plate; the search is recorded."""
    with call.unit() as unit:
        found = service.find_by_plate(unit, vault_of(call), body.plate)
        refused = refused_look(call, unit, [found] if found else [])
    if refused is not None:
        raise refused
    return FoundOut(ids=[found] if found else [])


@routes.get("/{vehicle_id}", needs=READ)
def view_vehicle(vehicle_id: str, purpose: str, call: Call = Depends(current_call)) -> VehicleViewOut:
    """One vehicle with plate and label, for a purpose stated as a short code; the look is recorded."""
    with call.unit() as unit:
        refused = refused_look(call, unit, [service.get_vehicle(unit, vehicle_id).id])
        if refused is None:
            return VehicleViewOut.of(service.view_vehicle(unit, vault_of(call), vehicle_id, purpose=purpose))
    raise refused


@routes.put("/{vehicle_id}/listing", needs=MANAGE)
def list_vehicle(vehicle_id: str, body: ListingIn, call: Call = Depends(current_call)) -> VehicleOut:
    """Put a vehicle on the allow or the deny list."""

    def deed(unit: Unit) -> VehicleOut:
        return VehicleOut.model_validate(service.list_vehicle(unit, vehicle_id, body.listing))

    return call.once(VehicleOut, deed)


@routes.put("/{vehicle_id}/suspension", needs=MANAGE)
def suspend_vehicle(vehicle_id: str, body: SuspensionIn, call: Call = Depends(current_call)) -> Done:
    """Stop a vehicle's passages until further notice, or let it pass again."""

    def deed(unit: Unit) -> Done:
        service.get_vehicle(unit, vehicle_id)
        service.suspend(unit, vehicle_id, suspended=body.suspended)
        return Done()

    return call.once(Done, deed)


@routes.delete("/{vehicle_id}", needs=MANAGE)
def forget_vehicle(
    vehicle_id: str, approval_id: str | None = None, call: Call = Depends(current_call)
) -> ReceiptOut:
    """Erase a vehicle for good; the answer is the signed receipt. Many in a short time take two people."""

    def deed(unit: Unit) -> ReceiptOut:
        require_few(unit, bound_of(call), Action.ERASE_VEHICLES, [vehicle_id], approval_id)
        return ReceiptOut.of(service.forget_vehicle(unit, vault_of(call), vehicle_id))

    return call.once(ReceiptOut, deed)
