"""How doors stand, as their agents report it, and who has fallen silent."""

from dataclasses import replace
from datetime import datetime, timedelta

from doorward.audit.service import record
from doorward.core.wire import Door, Signed
from doorward.core.wire import DoorState as DoorMessage
from doorward.gates.model import AlarmKind, DoorEvent, DoorState, DoorStatus, Gate, PassageState, Plan, Verb
from doorward.gates.rules.doors import step
from doorward.gates.rules.orders import orders_at
from doorward.gates.service.alarms import raise_alarm, raise_once
from doorward.gates.service.post import Post, hear
from doorward.gates.store import doors, passages
from doorward.gates.store.doors import AgentState
from doorward.platform.db import Unit

LATE_SECONDS = 10  # the permit's own time and the way of two messages
MOST_RECENT = 20
MAY_HAVE_OPENED = frozenset({PassageState.PERMITTED, PassageState.OPENED, PassageState.UNREPORTED})


def report_door(unit: Unit, post: Post, signed: Signed) -> DoorState:
    """Keep a change of a door's contacts; a repeat or an older one changes nothing."""
    plan = post.plans.plan_of(unit)
    message = hear(plan, DoorMessage, signed)
    gate = plan.gate(message.gate_id)
    known = doors.find_agent_state(unit.rows, message.agent_id) or AgentState(
        agent_id=message.agent_id, heard_at=unit.now
    )
    if message.sequence <= known.door_sequence:
        return _state_of(unit, gate)
    heard = replace(known, door_sequence=message.sequence, heard_at=unit.now)
    doors.set_agent_state(unit.rows, unit.site_id, heard)
    return change_door(unit, plan, gate, message.state, at=unit.now)


def change_door(unit: Unit, plan: Plan, gate: Gate, told: Door, *, at: datetime) -> DoorState:
    """Apply what a door's contacts said, with the alarms that follow."""
    before = _state_of(unit, gate)
    state, _ = step(before, DoorEvent.CAME_ONLINE, at, open_seconds=0, held_after=0)
    if told is Door.OPENED and _was_permitted(unit, plan, gate):
        state, _ = step(state, DoorEvent.PERMITTED, at, open_seconds=gate.open_seconds, held_after=0)
    seconds = gate.open_seconds
    after, alarms = step(state, DoorEvent(told.value), at, open_seconds=seconds, held_after=0)
    _keep(unit, before, after, alarms)
    return after


def _was_permitted(unit: Unit, plan: Plan, gate: Gate) -> bool:
    """Whether a permit for this door was given so lately that its opening is no break-in."""
    gates = {one.id: one for one in plan.gates_of(gate.leaf)}
    longest = max((one.open_seconds for one in gates.values()), default=0)
    since = unit.now - timedelta(seconds=longest + LATE_SECONDS)
    recent = passages.list_recent(unit.rows, gates, since, most=MOST_RECENT)
    return any(passage.state in MAY_HAVE_OPENED for passage in recent) or _is_ordered_open(plan, gate)


def _is_ordered_open(plan: Plan, gate: Gate) -> bool:
    return bool(orders_at(gate, plan.orders) & {Verb.UNLOCK, Verb.EVACUATION, Verb.FIRE})


def list_doors(unit: Unit) -> tuple[DoorState, ...]:
    """Every door that ever said anything."""
    return doors.find_doors(unit.rows, unit.site_id)


def sweep_doors(unit: Unit, post: Post) -> int:
    """Find doors held open too long and agents that fell silent; how many doors changed."""
    plan, changed = post.plans.plan_of(unit), 0
    silent = doors.list_silent(unit.rows, unit.site_id, unit.now - timedelta(seconds=post.silence_seconds))
    lost = {door for agent in silent for door in _doors_of(plan, agent.agent_id)}
    for before in doors.find_doors(unit.rows, unit.site_id):
        gates = plan.gates_of(before.door_id)
        held_after = max((gate.held_after_seconds for gate in gates), default=20)
        event = DoorEvent.WENT_OFFLINE if before.door_id in lost else DoorEvent.TIME_PASSED
        state, alarms = step(before, event, unit.now, open_seconds=0, held_after=held_after)
        _keep(unit, before, state, alarms)
        changed += state != before
    for agent in silent:
        if not _doors_of(plan, agent.agent_id) & {s.door_id for s in list_doors(unit)}:
            raise_once(unit, AlarmKind.DOOR_OFFLINE, agent.agent_id, detail="agent is silent")
    return changed


def hear_from(unit: Unit, agent_id: str) -> None:
    """Remember that an agent was heard just now."""
    known = doors.find_agent_state(unit.rows, agent_id) or AgentState(agent_id=agent_id, heard_at=unit.now)
    doors.set_agent_state(unit.rows, unit.site_id, replace(known, heard_at=unit.now))


def _keep(
    unit: Unit, before: DoorState, state: DoorState, alarms: list[AlarmKind] | tuple[AlarmKind, ...]
) -> None:
    if state != before:
        doors.set_door(unit.rows, unit.site_id, state)
    if state.status is not before.status:
        record(unit, "door.changed", door=state.door_id, status=state.status.value)
    for kind in alarms:
        raise_alarm(unit, kind, state.door_id)


def _doors_of(plan: Plan, agent_id: str) -> set[str]:
    agent = plan.agents.get(agent_id)
    return {plan.gates[g].leaf for g in agent.gate_ids if g in plan.gates} if agent else set()


def _state_of(unit: Unit, gate: Gate) -> DoorState:
    known = doors.find_doors(unit.rows, unit.site_id, (gate.leaf,))
    return known[0] if known else DoorState(door_id=gate.leaf, leaf=DoorStatus.CLOSED)
