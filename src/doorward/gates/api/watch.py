"""Routes for whoever watches the gates: passages, presence, doors, alarms, commands, roll-calls."""

from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import HTMLResponse

from doorward.core.errors import Denied
from doorward.core.permissions import Permission
from doorward.gates import service
from doorward.gates.api.asked import CauseIn, ForgiveIn, OrderIn, PlaceIn, RollCallIn, SafeIn
from doorward.gates.api.desk import post_of
from doorward.gates.api.told import (
    AlarmOut,
    AlarmsOut,
    Done,
    DoorsOut,
    ListOut,
    MusterOut,
    OrderOut,
    PassageOut,
    PassagesOut,
)
from doorward.gates.model import Order, PassageState, RollCall
from doorward.gates.service import Wanted
from doorward.platform.asked import LooseInstant
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX, tag="passages")
PASSAGES, COMMAND = Permission.GATES_PASSAGES, Permission.GATES_COMMAND
EMERGENCY, READ = Permission.GATES_EMERGENCY, Permission.GATES_READ


def wanted_passages(
    gate_id: str | None = None,
    subject_id: str | None = None,
    state: PassageState | None = None,
    since: Annotated[LooseInstant | None, Query()] = None,
    until: Annotated[LooseInstant | None, Query()] = None,
) -> Wanted:
    """What a list of passages is narrowed to; instants without a zone are UTC."""
    zone = service.in_utc
    return Wanted(gate_id=gate_id, subject_id=subject_id, state=state, since=zone(since), until=zone(until))


@routes.get("/passages", needs=PASSAGES)
def get_passages(
    wanted: Wanted = Depends(wanted_passages),
    page: PageRequest = Depends(page_request),
    call: Call = Depends(current_call),
) -> PassagesOut:
    """Decisions, latest first; the look is recorded."""
    with call.unit() as unit:
        found = make_page(service.list_passages(unit, wanted, page), page, lambda one: str(one.number))
    items = [PassageOut.of(one.passage) for one in found.items]
    return PassagesOut(items=items, next_cursor=found.next_cursor)


@routes.get("/passages/{passage_id}", needs=PASSAGES)
def get_passage(passage_id: str, call: Call = Depends(current_call)) -> PassageOut:
    """One decision with every rule's answer; the look is recorded."""
    with call.unit() as unit:
        return PassageOut.of(service.get_passage(unit, passage_id))


@routes.get("/presence", needs=PASSAGES)
def get_presence(zone_id: str | None = None, call: Call = Depends(current_call)) -> ListOut:
    """Everybody counted inside a zone, or inside any; the look is recorded."""
    with call.unit() as unit:
        return ListOut(items=service.find_present(unit, zone_id))


@routes.post("/presence", needs=COMMAND)
def post_presence(body: PlaceIn, call: Call = Depends(current_call)) -> Done:
    """Correct where somebody counts as being."""

    def deed(unit: Unit) -> Done:
        service.place_by_hand(unit, post_of(call), body.subject_id, body.zone_id, reason=body.reason)
        return Done()

    return call.once(Done, deed)


@routes.post("/presence/forgive", needs=COMMAND)
def post_forgive(body: ForgiveIn, call: Call = Depends(current_call)) -> Done:
    """Let the next passage of one, or of everybody, stand outside anti-passback."""
    return call.once(
        Done,
        lambda unit: Done(count=service.forgive(unit, post_of(call), body.subject_id, reason=body.reason)),
    )


@routes.get("/doors", needs=READ)
def get_doors(call: Call = Depends(current_call)) -> DoorsOut:
    """How each door stands."""
    with call.reading() as unit:
        return DoorsOut(items=list(service.list_doors(unit)))


@routes.get("/alarms", needs=READ)
def get_alarms(
    waiting: bool = True,
    page: PageRequest = Depends(page_request),
    call: Call = Depends(current_call),
) -> AlarmsOut:
    """Alarms, latest first; by default those that wait for somebody."""
    with call.unit() as unit:
        found = make_page(service.list_alarms(unit, page, waiting=waiting), page, lambda one: one.id)
    return AlarmsOut(items=list(found.items), next_cursor=found.next_cursor)


@routes.post("/alarms/{alarm_id}/acknowledge", needs=COMMAND)
def post_acknowledge(alarm_id: str, call: Call = Depends(current_call)) -> AlarmOut:
    """Say that somebody has looked."""
    return call.once(AlarmOut, lambda unit: AlarmOut(service.acknowledge_alarm(unit, alarm_id)))


@routes.post("/gates/{gate_id}/open", needs=COMMAND)
def post_open(gate_id: str, body: CauseIn, call: Call = Depends(current_call)) -> PassageOut:
    """Open a gate once, on staff's word."""
    return call.once(
        PassageOut,
        lambda unit: PassageOut.of(service.open_now(unit, post_of(call), gate_id, body.ours())),
    )


@routes.get("/orders", needs=READ)
def get_orders(call: Call = Depends(current_call)) -> list[Order]:
    """Orders in force."""
    with call.reading() as unit:
        return service.orders_in_force(unit, post_of(call))


@routes.post("/orders", needs=COMMAND)
def post_order(body: OrderIn, call: Call = Depends(current_call)) -> OrderOut:
    """Lock or unlock until released, or until a time."""
    if service.is_emergency(body.verb):
        raise Denied("Lockdown, evacuation and fire release are given under /emergencies.")
    return call.once(OrderOut, lambda unit: _give(unit, call, body))


@routes.post("/orders/{order_id}/release", needs=COMMAND)
def post_release(order_id: str, body: CauseIn, call: Call = Depends(current_call)) -> OrderOut:
    """End a lock or an unlock."""

    def deed(unit: Unit) -> OrderOut:
        if service.is_emergency(service.find_order(unit, post_of(call), order_id).verb):
            raise Denied("An emergency is ended under /emergencies.")
        return OrderOut(service.release(unit, post_of(call), order_id, body.ours()))

    return call.once(OrderOut, deed)


@routes.post("/emergencies", needs=EMERGENCY)
def post_emergency(body: OrderIn, call: Call = Depends(current_call)) -> OrderOut:
    """Lockdown, evacuation, fire release (or any other order) until ended."""
    return call.once(OrderOut, lambda unit: _give(unit, call, body))


@routes.post("/emergencies/{order_id}/release", needs=EMERGENCY)
def post_all_clear(order_id: str, body: CauseIn, call: Call = Depends(current_call)) -> OrderOut:
    """End an order, emergencies included."""
    return call.once(
        OrderOut, lambda unit: OrderOut(service.release(unit, post_of(call), order_id, body.ours()))
    )


@routes.get("/roll-calls", needs=PASSAGES)
def get_rollcalls(call: Call = Depends(current_call)) -> list[RollCall]:
    """The latest roll-calls."""
    with call.reading() as unit:
        return service.list_rollcalls(unit)


@routes.post("/roll-calls", needs=EMERGENCY)
def post_rollcall(body: RollCallIn, call: Call = Depends(current_call)) -> MusterOut:
    """Begin looking for everybody counted inside; also needs people:read, since the answer says who."""
    _may_see_people(call)
    return call.once(
        MusterOut,
        lambda unit: MusterOut.of(service.start_rollcall(unit, drill=body.drill, zone_ids=body.zone_ids)),
    )


@routes.get("/roll-calls/{rollcall_id}", needs=PASSAGES)
def get_rollcall(rollcall_id: str, call: Call = Depends(current_call)) -> MusterOut:
    """Who is safe and who is missing."""
    with call.unit() as unit:
        return MusterOut.of(service.get_rollcall(unit, rollcall_id))


@routes.post("/roll-calls/{rollcall_id}/safe", needs=EMERGENCY)
def post_safe(rollcall_id: str, body: SafeIn, call: Call = Depends(current_call)) -> MusterOut:
    """Mark somebody safe."""
    return call.once(
        MusterOut,
        lambda unit: MusterOut.of(
            service.mark_safe(
                unit, post_of(call), rollcall_id, body.subject_id, muster_point=body.muster_point
            )
        ),
    )


@routes.post("/roll-calls/{rollcall_id}/end", needs=EMERGENCY)
def post_end(rollcall_id: str, call: Call = Depends(current_call)) -> MusterOut:
    """End a roll-call; its list stays."""
    return call.once(MusterOut, lambda unit: MusterOut.of(service.end_rollcall(unit, rollcall_id)))


@routes.get("/roll-calls/{rollcall_id}/page", needs=EMERGENCY, response_class=HTMLResponse)
def get_page(rollcall_id: str, call: Call = Depends(current_call)) -> HTMLResponse:
    """A page with names, to print or to keep for when the network is down; every name is a recorded look.

    Also needs people:read.
    """
    _may_see_people(call)
    with call.unit() as unit:
        muster = service.get_rollcall(unit, rollcall_id)
        names = service.names_of(unit, call.request.app.state.vault, muster)
        zones = {zone.id: zone.name for zone in post_of(call).plans.plan_of(unit).zones.values()}
        return HTMLResponse(service.as_page(muster, names, zones=zones))


def _give(unit: Unit, call: Call, body: OrderIn) -> OrderOut:
    order = service.give_order(
        unit,
        post_of(call),
        body.verb,
        body.ours(),
        gate_id=body.gate_id,
        zone_id=body.zone_id,
        until=body.until,
    )
    return OrderOut(order)


def _may_see_people(call: Call) -> None:
    if not call.actor.may(Permission.PEOPLE_READ, call.site_id):
        raise Denied("Who is inside needs the right people:read as well: ask whoever manages staff.")
