"""Routes for a site's plan: rules, gates, zones, levels, schedules, agents, grants."""

from typing import Annotated

from fastapi import Depends, Path

from doorward.core.permissions import Permission
from doorward.gates import service
from doorward.gates.api.asked import (
    AgentIn,
    GateIn,
    GrantIn,
    LevelIn,
    ScheduleIn,
    SiteRulesIn,
    ZoneIn,
)
from doorward.gates.api.desk import post_of
from doorward.gates.api.told import (
    AgentOut,
    Done,
    GateOut,
    GrantOut,
    GrantsOut,
    LevelOut,
    RulesOut,
    ScheduleOut,
    ZoneOut,
)
from doorward.gates.model import Agent, Gate, Level, Plan, Schedule, Zone
from doorward.gates.service.searching import require_second_for_search
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest, make_page, page_request
from doorward.platform.web import SITE_PREFIX, Call, Routes, current_call

routes = Routes(SITE_PREFIX, tag="gates")
Id = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")]
MANAGE, READ, GRANT = Permission.GATES_MANAGE, Permission.GATES_READ, Permission.GATES_GRANT


@routes.get("/rules", needs=READ)
def get_rules(call: Call = Depends(current_call)) -> RulesOut:
    """What holds at every gate unless it says otherwise."""
    return RulesOut(_plan(call).rules)


@routes.put("/rules", needs=MANAGE)
def put_rules(
    body: SiteRulesIn, approval_id: str | None = None, call: Call = Depends(current_call)
) -> RulesOut:
    """Set the time zone, calendar, identification and promises; sets a new site up.

    To begin to look faces up among everybody takes two people.
    """

    def deed(unit: Unit) -> RulesOut:
        rules = body.ours()
        require_second_for_search(unit, post_of(call).plans.plan_of(unit), rules, approval_id=approval_id)
        return RulesOut(service.set_site_rules(unit, rules))

    return call.once(RulesOut, deed)


@routes.get("/gates", needs=READ)
def get_gates(call: Call = Depends(current_call)) -> list[Gate]:
    """Every gate of the site."""
    return list(_plan(call).gates.values())


@routes.put("/gates/{gate_id}", needs=MANAGE)
def put_gate(
    gate_id: Id, body: GateIn, approval_id: str | None = None, call: Call = Depends(current_call)
) -> GateOut:
    """Add or change a gate; to begin to look faces up among everybody takes two people."""

    def deed(unit: Unit) -> GateOut:
        plan = post_of(call).plans.plan_of(unit)
        require_second_for_search(unit, plan, body.ours(gate_id), approval_id=approval_id)
        service.set_piece(unit, post_of(call), gate := body.ours(gate_id))
        return GateOut(gate)

    return call.once(GateOut, deed)


@routes.get("/zones", needs=READ)
def get_zones(call: Call = Depends(current_call)) -> list[Zone]:
    """Every zone of the site."""
    return list(_plan(call).zones.values())


@routes.put("/zones/{zone_id}", needs=MANAGE)
def put_zone(zone_id: Id, body: ZoneIn, call: Call = Depends(current_call)) -> ZoneOut:
    """Add or change a zone."""

    def deed(unit: Unit) -> ZoneOut:
        service.set_piece(unit, post_of(call), zone := body.ours(zone_id))
        return ZoneOut(zone)

    return call.once(ZoneOut, deed)


@routes.get("/levels", needs=READ)
def get_levels(call: Call = Depends(current_call)) -> list[Level]:
    """Every access level of the site."""
    return list(_plan(call).levels.values())


@routes.put("/levels/{level_id}", needs=MANAGE)
def put_level(level_id: Id, body: LevelIn, call: Call = Depends(current_call)) -> LevelOut:
    """Add or change an access level."""

    def deed(unit: Unit) -> LevelOut:
        service.set_piece(unit, post_of(call), level := body.ours(level_id))
        return LevelOut(level)

    return call.once(LevelOut, deed)


@routes.get("/schedules", needs=READ)
def get_schedules(call: Call = Depends(current_call)) -> list[Schedule]:
    """Every schedule of the site."""
    return list(_plan(call).schedules.values())


@routes.put("/schedules/{schedule_id}", needs=MANAGE)
def put_schedule(schedule_id: Id, body: ScheduleIn, call: Call = Depends(current_call)) -> ScheduleOut:
    """Add or change a schedule."""

    def deed(unit: Unit) -> ScheduleOut:
        service.set_piece(unit, post_of(call), schedule := body.ours(schedule_id))
        return ScheduleOut(schedule)

    return call.once(ScheduleOut, deed)


@routes.get("/agents", needs=READ)
def get_agents(call: Call = Depends(current_call)) -> list[Agent]:
    """Every agent of the site, with its public key."""
    return list(_plan(call).agents.values())


@routes.put("/agents/{agent_id}", needs=MANAGE)
def put_agent(agent_id: Id, body: AgentIn, call: Call = Depends(current_call)) -> AgentOut:
    """Register an agent by its public key, or change its gates."""

    def deed(unit: Unit) -> AgentOut:
        service.set_piece(unit, post_of(call), agent := body.ours(agent_id))
        return AgentOut(agent)

    return call.once(AgentOut, deed)


@routes.post("/agents/{agent_id}/revoke", needs=MANAGE)
def post_revoke(agent_id: Id, call: Call = Depends(current_call)) -> AgentOut:
    """Stop listening to an agent."""
    return call.once(AgentOut, lambda unit: AgentOut(service.revoke_agent(unit, post_of(call), agent_id)))


@routes.delete("/plan/{piece_id}", needs=MANAGE)
def delete_piece(piece_id: Id, call: Call = Depends(current_call)) -> Done:
    """Take a gate, zone, level, schedule or agent out of the plan."""

    def deed(unit: Unit) -> Done:
        service.forget_piece(unit, post_of(call), piece_id)
        return Done()

    return call.once(Done, deed)


@routes.get("/grants", needs=READ)
def get_grants(
    holder_id: str | None = None,
    page: PageRequest = Depends(page_request),
    call: Call = Depends(current_call),
) -> GrantsOut:
    """Grants of the site, or all that one person, vehicle or group holds."""
    with call.unit() as unit:
        if holder_id is not None:
            return GrantsOut(items=list(service.grants_of(unit, holder_id)), next_cursor=None)
        found = make_page(service.list_grants(unit, page), page, lambda one: one.id)
    return GrantsOut(items=list(found.items), next_cursor=found.next_cursor)


@routes.post("/grants", needs=GRANT)
def post_grant(body: GrantIn, call: Call = Depends(current_call)) -> GrantOut:
    """Let a person, vehicle or group through a gate or level, or keep it out."""
    return call.once(GrantOut, lambda unit: GrantOut(service.grant(unit, post_of(call), body.ours())))


@routes.delete("/grants/{grant_id}", needs=GRANT)
def delete_grant(grant_id: Id, call: Call = Depends(current_call)) -> GrantOut:
    """End a grant at once."""
    return call.once(GrantOut, lambda unit: GrantOut(service.revoke_grant(unit, grant_id)))


def _plan(call: Call) -> Plan:
    with call.reading() as unit:
        return post_of(call).plans.plan_of(unit)
