"""How things stand at a gate at the moment somebody asks; only what its rules need is looked up."""

from datetime import datetime, timedelta

from doorward.gates.model import (
    DoorState,
    DoorStatus,
    Gate,
    Grant,
    PassageState,
    Plan,
    Presence,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Waiting,
    Whereabouts,
    Zone,
)
from doorward.gates.rules.orders import orders_at
from doorward.gates.service.post import Post
from doorward.gates.store import doors, passages, whereabouts
from doorward.platform.db import Unit

MOST_RECENT = 20


def situation_of(
    unit: Unit, post: Post, plan: Plan, gate: Gate, seen: Seen, *, presence: Presence | None
) -> Situation:
    """Everything about the gate that the rules may ask."""
    to_zone = plan.zones.get(gate.to_zone_id) if gate.to_zone_id else None
    return Situation(
        gate=gate,
        target_ids=plan.targets[gate.id],
        hours=plan.hours,
        orders=orders_at(gate, plan.orders),
        to_zone=to_zone,
        grants=_grants(unit, post, plan, seen),
        whereabouts=_whereabouts(unit, plan, gate, seen, presence=presence),
        inside=_inside(unit, to_zone),
        peers=_peers(unit, plan, gate),
        waiting=_waiting(unit, gate),
        clock_tolerance=post.clock_tolerance,
    )


def _grants(unit: Unit, post: Post, plan: Plan, seen: Seen) -> tuple[Grant, ...]:
    holders = frozenset(h for subject in seen.subjects for h in (subject.id, *subject.group_ids))
    return post.plans.grants_of(unit, plan, holders) if holders else ()


def _whereabouts(
    unit: Unit, plan: Plan, gate: Gate, seen: Seen, *, presence: Presence | None
) -> Whereabouts | None:
    leading = seen.leading
    if leading is None:
        return None
    zone = plan.zones.get(gate.to_zone_id) if gate.to_zone_id else None
    timed_zone = zone is not None and zone.timed_passback is not Strictness.OFF
    timed_door = gate.door_passback is not Strictness.OFF
    if presence is None and not timed_zone and not timed_door:
        return None
    into = plan.gates_into(gate.to_zone_id) if timed_zone else ()
    same_door = tuple(one.id for one in plan.gates_of(gate.leaf)) if timed_door else ()
    return Whereabouts(
        zone_id=presence.zone_id if presence else None,
        since=presence.since if presence else None,
        forgiven=presence.forgiven if presence else False,
        through_door_at=_last(unit, leading.id, same_door),
        into_zone_at=_last(unit, leading.id, into),
    )


def _last(unit: Unit, subject_id: str, gate_ids: tuple[str, ...]) -> datetime | None:
    return passages.last_through(unit.rows, subject_id, gate_ids) if gate_ids else None


def _inside(unit: Unit, zone: Zone | None) -> int:
    if zone is None or zone.capacity is None:
        return 0
    return whereabouts.count_inside(unit.rows, unit.site_id, zone.id)


def _peers(unit: Unit, plan: Plan, gate: Gate) -> tuple[DoorState, ...]:
    """The other doors of the interlock; one with a permit still on its way counts as open."""
    door_ids = plan.peers_of(gate)
    if not door_ids:
        return ()
    states = {state.door_id: state for state in doors.find_doors(unit.rows, unit.site_id, door_ids)}
    gates = {one.id: one.leaf for door_id in door_ids for one in plan.gates_of(door_id)}
    recent = passages.list_recent(unit.rows, gates, unit.now - timedelta(minutes=2), most=MOST_RECENT)
    for passage in recent:
        if passage.state is PassageState.PERMITTED and passage.expires_at > unit.now:
            door_id = gates[passage.gate_id]
            states.setdefault(door_id, DoorState(door_id=door_id, leaf=DoorStatus.OPEN))
            if states[door_id].leaf is DoorStatus.CLOSED:
                states[door_id] = DoorState(door_id=door_id, leaf=DoorStatus.OPEN)
    return tuple(states.values())


def _waiting(unit: Unit, gate: Gate) -> tuple[Waiting, ...]:
    """Those who asked since the gate last opened and only lack a second person."""
    if gate.two_person_seconds is None:
        return ()
    since = unit.now - timedelta(seconds=gate.two_person_seconds)
    found: list[Waiting] = []
    for passage in passages.list_recent(unit.rows, (gate.id,), since, most=MOST_RECENT):
        if passage.state is not PassageState.REFUSED:
            break
        if passage.because == Refusal.SECOND_PERSON_NEEDED and passage.subject_id is not None:
            found.append(Waiting(passage.subject_id, passage.decided_at))
    return tuple(found)
