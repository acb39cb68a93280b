"""Changing a site's plan: rules, gates, zones, levels, schedules, agents and grants."""

from dataclasses import replace

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.core.ids import new_id
from doorward.core.keys import agent_key
from doorward.gates.model import (
    EVERY_GATE,
    LEAST_ONE_IN_IDENTIFYING,
    LEAST_ONE_IN_VERIFYING,
    Agent,
    Gate,
    Grant,
    Level,
    Piece,
    Plan,
    Schedule,
    SiteRules,
    Zone,
)
from doorward.gates.rules.factors import require_identifying
from doorward.gates.service.post import Post, holidays_of, zone_of
from doorward.gates.service.seeing import looks_up
from doorward.gates.store import places
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest

MOST_DAYS = 3660
MOST_SECONDS = 366 * 86_400


def set_site_rules(unit: Unit, rules: SiteRules) -> SiteRules:
    """Set a site's time zone, calendar, identification and promise; this also sets a new site up."""
    zone_of(rules.time_zone)
    holidays_of(rules.calendar, range(unit.now.year, unit.now.year + 1))
    if rules.one_in_verifying < LEAST_ONE_IN_VERIFYING or rules.one_in_identifying < LEAST_ONE_IN_IDENTIFYING:
        raise Invalid(
            "one_in is a number of strangers' attempts: at least "
            f"{LEAST_ONE_IN_VERIFYING} to verify and {LEAST_ONE_IN_IDENTIFYING} to look up."
        )
    if not 1 <= rules.keep_passages_days <= MOST_DAYS:
        raise Invalid(f"Passages are kept for 1 to {MOST_DAYS} days.")
    places.change_site(unit.rows, unit.site_id, rules)
    record(unit, "site.rules-set", time_zone=rules.time_zone, identification=rules.identification.value)
    return rules


def set_piece(unit: Unit, post: Post, piece: Piece) -> Piece:
    """Add a gate, zone, level, schedule or agent, or change the one of its id."""
    plan = _plan(unit, post)
    _check(plan, piece)
    places.set_piece(unit.rows, unit.site_id, piece)
    places.mark_changed(unit.rows, unit.site_id)
    record(unit, f"{_kind(piece)}.set", **{_kind(piece): piece.id})
    return piece


def forget_piece(unit: Unit, post: Post, piece_id: str) -> None:
    """Take a piece out of the plan; `Conflict` while another one needs it."""
    plan = _plan(unit, post)
    if piece_id in plan.agents and plan.agents[piece_id].revoked:
        raise Conflict("A revoked agent stays on the list, so that nobody takes its id or key again.")
    others: list[Piece] = [*plan.gates.values(), *plan.levels.values()]
    needing = [one.id for one in others if piece_id in _needs(one)]
    if needing:
        raise Conflict(f"Still needed by {', '.join(sorted(needing))}: change that first.")
    if not places.forget_piece(unit.rows, unit.site_id, piece_id):
        raise NotFound("There is no such thing in this site's plan.")
    places.mark_changed(unit.rows, unit.site_id)
    record(unit, "plan.piece-removed", piece=piece_id)


def revoke_agent(unit: Unit, post: Post, agent_id: str) -> Agent:
    """Stop listening to an agent; its key is kept so that old journals can be told from forged ones."""
    plan = _plan(unit, post)
    agent = plan.agents.get(agent_id)
    if agent is None:
        raise NotFound("There is no such agent at this site.")
    # A gate that has left the plan since must not keep its agent in.
    left = tuple(gate_id for gate_id in agent.gate_ids if gate_id in plan.gates)
    gone = replace(agent, gate_ids=left, revoked=True)
    return gone if agent.revoked else _agent_set(unit, post, gone)


def _agent_set(unit: Unit, post: Post, agent: Agent) -> Agent:
    set_piece(unit, post, agent)
    return agent


def grant(unit: Unit, post: Post, wanted: Grant) -> Grant:
    """Let a subject or group through a gate or level, or keep it out; the id and giver are ours to set."""
    plan = _plan(unit, post)
    if wanted.target_id not in {EVERY_GATE, *plan.gates, *plan.levels}:
        raise NotFound("There is no such gate or level at this site.")
    if wanted.schedule_id is not None and wanted.schedule_id not in plan.schedules:
        raise NotFound("There is no such schedule at this site.")
    if wanted.valid_from and wanted.valid_until and wanted.valid_until <= wanted.valid_from:
        raise Invalid("A grant must end after it begins.")
    made = Grant(
        id=new_id("grant"),
        holder_id=wanted.holder_id,
        target_id=wanted.target_id,
        effect=wanted.effect,
        schedule_id=wanted.schedule_id,
        valid_from=wanted.valid_from,
        valid_until=wanted.valid_until,
        made_by=unit.actor.id,
    )
    places.add_grant(unit.rows, unit.site_id, made)
    places.mark_changed(unit.rows, unit.site_id)
    record(
        unit,
        "grant.made",
        subject_id=made.holder_id,
        grant=made.id,
        target=made.target_id,
        effect=made.effect.value,
    )
    return made


def revoke_grant(unit: Unit, grant_id: str) -> Grant:
    """End a grant at once."""
    gone = places.forget_grant(unit.rows, unit.site_id, grant_id)
    if gone is None:
        raise NotFound("There is no such grant at this site.")
    places.mark_changed(unit.rows, unit.site_id)
    record(unit, "grant.revoked", subject_id=gone.holder_id, grant=grant_id, target=gone.target_id)
    return gone


def list_grants(unit: Unit, wanted: PageRequest) -> list[Grant]:
    """Grants by id; one more than a page holds."""
    record(unit, "grants.viewed")
    return places.list_grants(unit.rows, unit.site_id, after=wanted.after, limit=wanted.limit + 1)


def grants_of(unit: Unit, holder_id: str) -> tuple[Grant, ...]:
    """What a subject or group holds."""
    record(unit, "grants.viewed", subject_id=holder_id)
    return places.find_grants(unit.rows, unit.site_id, {holder_id})


def _plan(unit: Unit, post: Post) -> Plan:
    plan = post.plans.plan_of(unit)
    if plan.version == 0:
        raise Conflict("This site is not set up: set its rules (time zone) first.")
    return plan


def _check(plan: Plan, piece: Piece) -> None:
    missing = _needs(piece) - set(plan.zones if isinstance(piece, Gate) else plan.gates)
    if missing:
        raise NotFound(f"The plan of this site has no {', '.join(sorted(missing))}.")
    match piece:
        case Gate():
            _check_gate(plan, piece)
        case Zone():
            _check_zone(piece)
        case Schedule():
            _check_schedule(piece)
        case Agent():
            _check_agent(plan, piece)
        case _:
            return


def _check_agent(plan: Plan, agent: Agent) -> None:
    agent_key(agent.public_key)
    known = plan.agents.get(agent.id)
    if known is not None and known.revoked:
        raise Conflict(
            "This agent was revoked, which is for good: register another id with a key of its own."
        )
    if any(one.revoked and one.public_key == agent.public_key for one in plan.agents.values()):
        raise Conflict("This key belongs to an agent that was revoked: make another key.")


def _check_gate(plan: Plan, gate: Gate) -> None:
    require_identifying(gate.factors)
    if not (1 <= gate.open_seconds <= 3600 and gate.held_after_seconds >= 1 and gate.least_frames >= 1):
        raise Invalid(
            "A gate opens for 1 to 3600 seconds, is held after 1 or more, and needs 1 frame or more."
        )
    least = LEAST_ONE_IN_IDENTIFYING if looks_up(gate, plan.rules) else LEAST_ONE_IN_VERIFYING
    if gate.one_in is not None and gate.one_in < least:
        raise Invalid(f"one_in is a number of strangers' attempts: at least {least} at this gate.")
    _check_seconds(gate.door_passback_seconds)
    if gate.two_person_seconds is not None and gate.two_person_seconds < 1:
        raise Invalid("The second person needs at least one second.")


def _check_zone(zone: Zone) -> None:
    if zone.capacity is not None and zone.capacity < 0:
        raise Invalid("A capacity cannot be below zero.")
    _check_seconds(zone.timed_passback_seconds, zone.presence_timeout_seconds)


def _check_seconds(*lengths: int | None) -> None:
    if any(one is not None and not 0 <= one <= MOST_SECONDS for one in lengths):
        raise Invalid("Anti-passback, and how long somebody counts as inside, last for up to 366 days.")


def _check_schedule(schedule: Schedule) -> None:
    if len(schedule.weekly) != 7:
        raise Invalid("A schedule has seven weekdays, Monday first.")
    spans = [span for day in schedule.weekly for span in day]
    spans += [span for exception in schedule.exceptions for span in exception.spans]
    spans += schedule.on_holidays or ()
    if any(not (0 <= span.opens < 1440 and 0 <= span.closes <= 1440) for span in spans):
        raise Invalid("A span opens at minute 0 to 1439 of its day and closes at minute 0 to 1440.")


def _needs(piece: Piece) -> set[str]:
    match piece:
        case Gate():
            return {zone for zone in (piece.from_zone_id, piece.to_zone_id) if zone is not None}
        case Level() | Agent():
            return set(piece.gate_ids)
        case _:
            return set()


def _kind(piece: Piece) -> str:
    return type(piece).__name__.lower()
