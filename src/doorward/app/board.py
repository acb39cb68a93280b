"""The first page after signing in: the gates, and who came last by id."""

from fastapi import Depends, Response

from doorward.core.errors import Denied
from doorward.core.permissions import Permission, SignedIn
from doorward.gates.model import Gate
from doorward.gates.rules.factors import write_factors
from doorward.gates.service import Wanted, list_alarms, list_passages
from doorward.people.store.persons import count_persons
from doorward.platform.pages import Pages
from doorward.platform.paging import page_request
from doorward.platform.web import Call, Routes, current_call

routes = Routes("", tag="pages", in_schema=False)
pages = Pages("doorward.app")
SHOWN = 25


@routes.get("/", needs=SignedIn(because="each part asks for its own right below"))
def get_board(call: Call = Depends(current_call)) -> Response:
    """Gates and last passages of this server's own site."""
    state = call.request.app.state
    site_id, post = state.site_id, state.post
    for needed in (Permission.GATES_READ, Permission.GATES_PASSAGES):
        if not call.actor.may(needed, site_id):
            raise Denied(f"The board needs the right {needed}: ask whoever manages staff.")
    with state.database.unit(call.actor, site_id) as unit:
        gates = {gate.id: gate for gate in post.plans.plan_of(unit).gates.values()}
        found = list_passages(unit, Wanted(), page_request(limit=SHOWN))[:SHOWN]
        alarms = len(list_alarms(unit, page_request(limit=200), waiting=True))
        people = count_persons(unit.rows, site_id)
    rows = [
        {
            "at": one.passage.decided_at.strftime("%H:%M:%S"),
            "gate": gates[one.passage.gate_id].name if one.passage.gate_id in gates else "",
            "state": one.passage.state,
            "because": one.passage.because,
            "subject": one.passage.subject_id or "unknown",
        }
        for one in found
    ]
    return pages.answer(
        call.request,
        "board.html",
        site=site_id,
        people=people,
        alarms=alarms,
        gates=[_gate(gate) for gate in gates.values()],
        passages=rows,
    )


def _gate(gate: Gate) -> dict[str, str]:
    return {"name": gate.name, "direction": gate.direction, "asks": write_factors(gate.factors)}
