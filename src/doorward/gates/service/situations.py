"""How things stand at a gate at the moment somebody asks; only what its rules need is looked up."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from doorward.gates.model import (
    Direction,
    DoorState,
    DoorStatus,
    Gate,
    Grant,
    Passage,
    PassageState,
    Peer,
    Plan,
    Presence,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Subject,
    Waiting,
    Whereabouts,
    Zone,
)
from doorward.gates.rules.crowd import LONGEST_EXIT_WAIT
from doorward.gates.rules.orders import orders_at
from doorward.gates.service.post import Post
from doorward.gates.store import doors, lately, whereabouts
from doorward.gates.store.passages import WENT_THROUGH
from doorward.platform.db import Unit

MOST_RECENT = 50
MOST_GIVEN = 200
LONGEST_PERMIT_SECONDS = 60  # more than any permit lasts before it is used


def situation_of(
    unit: Unit, post: Post, plan: Plan, gate: Gate, seen: Seen, *, presence: Presence | None
) -> Situation:
    """Everything about the gate that the rules may ask."""
    to_zone, from_zone = _zone(plan, gate.to_zone_id), _zone(plan, gate.from_zone_id)
    waiting, peers = _waiting(unit, post, gate), _peers(unit, plan, gate)
    return Situation(
        gate=gate,
        target_ids=plan.targets[gate.id],
        hours=plan.hours,
        orders=orders_at(gate, plan.orders, unit.now),
        to_zone=to_zone,
        from_zone=from_zone,
        grants=_grants(unit, post, plan, (*seen.subjects, *(one.subject for one in waiting))),
        whereabouts=_whereabouts(unit, plan, gate, seen, presence=presence),
        inside=_inside(unit, to_zone),
        peers=peers,
        waits_since=_waits_since(unit, gate) if peers and gate.direction is Direction.OUT else None,
        waiting=waiting,
        clock_tolerance=post.clock_tolerance,
    )


def _zone(plan: Plan, zone_id: str | None) -> Zone | None:
    return plan.zones.get(zone_id) if zone_id else None


def _grants(unit: Unit, post: Post, plan: Plan, subjects: Iterable[Subject]) -> tuple[Grant, ...]:
    holders = frozenset(h for subject in subjects for h in (subject.id, *subject.group_ids))
    return post.plans.grants_of(unit, plan, holders) if holders else ()


def _whereabouts(
    unit: Unit, plan: Plan, gate: Gate, seen: Seen, *, presence: Presence | None
) -> Whereabouts | None:
    leading = seen.leading
    if leading is None:
        return None
    zone, left = _zone(plan, gate.to_zone_id), _zone(plan, gate.from_zone_id)
    timed_zone = zone is not None and zone.timed_passback is not Strictness.OFF
    timed_door = gate.door_passback is not Strictness.OFF
    leaves = gate.direction is Direction.OUT and left is not None and left.area_passback is not Strictness.OFF
    if presence is None and not timed_zone and not timed_door and not leaves:
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
    return lately.last_through(unit.rows, subject_id, gate_ids) if gate_ids else None


def _inside(unit: Unit, zone: Zone | None) -> int:
    if zone is None or zone.capacity is None:
        return 0
    return whereabouts.count_inside(unit.rows, unit.site_id, zone.id)


def _peers(unit: Unit, plan: Plan, gate: Gate) -> tuple[Peer, ...]:
    """The other doors of the interlock, whether or not they ever said anything."""
    door_ids = plan.peers_of(gate)
    if not door_ids:
        return ()
    states = {state.door_id: state for state in doors.find_doors(unit.rows, unit.site_id, door_ids)}
    gates = {one.id: one for door_id in door_ids for one in plan.gates_of(door_id)}
    longest = max(one.open_seconds for one in gates.values()) + LONGEST_PERMIT_SECONDS
    since = unit.now - timedelta(seconds=longest)
    given = lately.list_recent(unit.rows, gates, since, most=MOST_GIVEN, states=WENT_THROUGH)
    return tuple(
        _peer(
            states.get(door_id, DoorState(door_id=door_id)),
            plan.gates_of(door_id),
            [one for one in given if gates[one.gate_id].leaf == door_id],
            unit.now,
        )
        for door_id in door_ids
    )


def _peer(state: DoorState, gates: Iterable[Gate], given: Iterable[Passage], now: datetime) -> Peer:
    """A door is busy from a permit on, until its opening was told or it has locked again in any case."""
    busy = [
        one.moment
        for one in given
        if one.moment <= now < _locks_again(one)
        and (state.spent_until is None or state.spent_until < one.moment)
    ]
    status, since = state.status, state.opened_at
    if status is DoorStatus.CLOSED and busy:
        status, since = DoorStatus.OPEN, min(busy)
    is_known = state.told_at is not None or not any(one.has_contact for one in gates)
    return Peer(door_id=state.door_id, status=status, is_known=is_known, since=since)


def _locks_again(passage: Passage) -> datetime:
    """When a permit can move the door no more: it is used at the last moment, and releases it for a while."""
    last = passage.moment if passage.offline else passage.expires_at
    return last + timedelta(seconds=passage.open_seconds)


def _waits_since(unit: Unit, gate: Gate) -> datetime | None:
    since = unit.now - 2 * LONGEST_EXIT_WAIT
    return lately.first_refused(unit.rows, gate.id, Refusal.INTERLOCKED.value, since)


def _waiting(unit: Unit, post: Post, gate: Gate) -> tuple[Waiting, ...]:
    """Those who asked since the gate last opened and only lack a second person, as they stand now."""
    if gate.two_person_seconds is None:
        return ()
    since = unit.now - timedelta(seconds=gate.two_person_seconds)
    asked: dict[str, datetime] = {}
    for passage in lately.list_recent(unit.rows, (gate.id,), since, most=MOST_RECENT):
        if passage.state is not PassageState.REFUSED:
            break
        if passage.because == Refusal.SECOND_PERSON_NEEDED and passage.subject_id is not None:
            asked.setdefault(passage.subject_id, passage.decided_at)
    known = ((post.identifier.subject_of(unit, subject_id), at) for subject_id, at in asked.items())
    return tuple(Waiting(subject, at) for subject, at in known if subject is not None)
