"""The first page after signing in: the gates, who came last by id, and what was done by one alone."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fastapi import Depends, Response

from doorward.audit.model import Entry
from doorward.audit.service import list_entries
from doorward.core.errors import Denied
from doorward.core.permissions import EVERY_SITE, Permission, SignedIn
from doorward.gates.model import Gate
from doorward.gates.rules.factors import write_factors
from doorward.gates.service import Wanted, list_alarms, list_passages
from doorward.people.store.persons import count_persons
from doorward.platform.db import Unit
from doorward.platform.pages import Pages
from doorward.platform.paging import page_request
from doorward.platform.web import Call, Routes, current_call

routes = Routes("", tag="pages", in_schema=False)
pages = Pages("doorward.app")
SHOWN = 25
ALONE_SHOWN = 10
ALONE = "approval.waived"
Part = Callable[[Call, Unit], dict[str, Any]]


@routes.get("/", needs=SignedIn(because="each part asks for its own right below"))
def get_board(call: Call = Depends(current_call)) -> Response:
    """Gates, last passages and deeds done alone at this server's own site; each part by its own right."""
    state = call.request.app.state
    parts = [part for right, part in PARTS.items() if call.actor.may(right, state.site_id)]
    if not parts:
        raise Denied(f"The board needs one of the rights {', '.join(PARTS)}: ask whoever manages staff.")
    shown: dict[str, Any] = {}
    with state.database.unit(call.actor, state.site_id) as unit:
        for part in parts:
            shown |= part(call, unit)
    return pages.answer(call.request, "board.html", site=state.site_id, **shown)


def _gates(call: Call, unit: Unit) -> dict[str, Any]:
    plan = call.request.app.state.post.plans.plan_of(unit)
    waiting = list_alarms(unit, page_request(limit=200), waiting=True)
    return {"gates": [_gate(gate) for gate in plan.gates.values()], "alarms": len(waiting)}


def _gate(gate: Gate) -> dict[str, str]:
    return {"name": gate.name, "direction": gate.direction, "asks": write_factors(gate.factors)}


def _passages(call: Call, unit: Unit) -> dict[str, Any]:
    gates = call.request.app.state.post.plans.plan_of(unit).gates
    found = list_passages(unit, Wanted(), page_request(limit=SHOWN))[:SHOWN]
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
    return {"passages": rows}


def _people(_: Call, unit: Unit) -> dict[str, Any]:
    return {"people": count_persons(unit.rows, unit.site_id)}


def _alone(call: Call, unit: Unit) -> dict[str, Any]:
    """What takes two people and was done by one: here, and for whoever may see that too, at every site."""
    here = replace(unit, site_id=EVERY_SITE) if call.actor.may(Permission.AUDIT_READ, EVERY_SITE) else unit
    newest = list_entries(here, page_request(limit=ALONE_SHOWN), event=ALONE).items
    return {"alone": [_deed(one) for one in newest]}


def _deed(entry: Entry) -> dict[str, Any]:
    facts = json.loads(entry.facts)
    return {
        "at": entry.at.strftime("%Y-%m-%d %H:%M"),
        "action": facts.get("action"),
        "by": entry.actor,
        "because": facts.get("because"),
        "position": entry.position,
    }


PARTS: dict[Permission, Part] = {
    Permission.GATES_READ: _gates,
    Permission.GATES_PASSAGES: _passages,
    Permission.PEOPLE_READ: _people,
    Permission.AUDIT_READ: _alone,
}
