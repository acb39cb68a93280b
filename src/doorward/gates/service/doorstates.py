"""How doors stand, as their agents report it, and who has fallen silent."""

from dataclasses import replace
from datetime import datetime, timedelta

from doorward.audit.service import record
from doorward.core.wire import Door, Signed
from doorward.core.wire import DoorState as DoorMessage
from doorward.gates.model import AlarmKind, DoorEvent, DoorState, DoorStatus, Gate, Plan, Verb
from doorward.gates.rules.doors import step
from doorward.gates.rules.orders import orders_at
from doorward.gates.service.alarms import raise_alarm, raise_once
from doorward.gates.service.post import Post, hear
from doorward.gates.store import doors, lately, passages, places
from doorward.gates.store.doors import AgentState
from doorward.platform.db import Unit

LATE_SECONDS = 10  # the permit's own time and the way of two messages
CLOCKS_APART = timedelta(seconds=2)  # a permit and a contact may be told by two clocks
OFTEN_ENOUGH = timedelta(seconds=30)
FIRE_CONTACT = frozenset({Door.FIRE, Door.FIRE_CLEARED})


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
    bring_online(unit, plan, message.agent_id)
    return change_door(unit, plan, gate, message.state, at=unit.now)


def change_door(unit: Unit, plan: Plan, gate: Gate, told: Door, *, at: datetime) -> DoorState:
    """Apply what a door's contacts said, with the alarms that follow; `at` is when they said it."""
    if told in FIRE_CONTACT:
        return _fire(unit, gate, told)
    before = _state_of(unit, gate)
    seconds, held_after = gate.open_seconds, _held_after(plan, gate.leaf)
    state, _ = step(before, DoorEvent.CAME_ONLINE, at, open_seconds=seconds, held_after=held_after)
    if told is Door.OPENED and state.leaf is DoorStatus.CLOSED:
        state = _explained(unit, plan, gate, state, at)
    after, alarms = step(state, DoorEvent(told.value), at, open_seconds=seconds, held_after=held_after)
    _keep(unit, before, after, alarms)
    return after


def _fire(unit: Unit, gate: Gate, told: Door) -> DoorState:
    """The building's own fire alarm: the agent holds its gate open by itself, and staff are told."""
    state = _state_of(unit, gate)
    record(unit, "door.changed", door=state.door_id, status=told.value)
    if told is Door.FIRE:
        raise_once(unit, AlarmKind.FIRE_CONTACT, gate.leaf)
    return state


def _explained(unit: Unit, plan: Plan, gate: Gate, state: DoorState, at: datetime) -> DoorState:
    """The state with leave to open, if an order or a permit of that time explains it; each permit once."""
    if state.may_open_until is not None and at <= state.may_open_until:
        return state
    gates = {one.id: one for one in plan.gates_of(gate.leaf)}
    longest = max((one.open_seconds for one in gates.values()), default=0)
    since, until = at - timedelta(seconds=longest + LATE_SECONDS), at + CLOCKS_APART
    spent = state.spent_until if state.spent_until is not None and state.spent_until <= until else None
    permit = lately.oldest_permit(unit.rows, gates, since, until, spent)
    if permit is None and not _was_ordered_open(unit, gate, at):
        return state
    allowed, _ = step(state, DoorEvent.PERMITTED, at, open_seconds=gate.open_seconds, held_after=0)
    return replace(allowed, spent_until=permit or state.spent_until)


def _was_ordered_open(unit: Unit, gate: Gate, at: datetime) -> bool:
    then = places.list_orders_then(unit.rows, unit.site_id, at)
    return bool(orders_at(gate, then, at) & {Verb.UNLOCK, Verb.EVACUATION, Verb.FIRE})


def _held_after(plan: Plan, door_id: str) -> int:
    return max((gate.held_after_seconds for gate in plan.gates_of(door_id)), default=20)


def list_doors(unit: Unit) -> tuple[DoorState, ...]:
    """Every door that ever said anything."""
    return doors.find_doors(unit.rows, unit.site_id)


def sweep_doors(unit: Unit, post: Post) -> int:
    """Find doors held open too long and agents that fell silent; how many doors changed."""
    plan, changed = post.plans.plan_of(unit), 0
    silent = [one for one in _listening_to(unit, plan) if _is_silent(unit, post, one)]
    lost = {door for agent in silent for door in _doors_of(plan, agent.agent_id)}
    known = doors.find_doors(unit.rows, unit.site_id)
    for before in known:
        held_after = _held_after(plan, before.door_id)
        state, alarms = step(before, DoorEvent.TIME_PASSED, unit.now, open_seconds=0, held_after=held_after)
        if before.door_id in lost:
            state, more = step(state, DoorEvent.WENT_OFFLINE, unit.now, open_seconds=0, held_after=0)
            alarms += more
        _keep(unit, before, state, alarms)
        changed += state != before
    for agent in silent:
        if not _doors_of(plan, agent.agent_id) & {state.door_id for state in known}:
            raise_once(unit, AlarmKind.DOOR_OFFLINE, agent.agent_id, detail="agent is silent")
    return changed


def _listening_to(unit: Unit, plan: Plan) -> list[AgentState]:
    """Agents that were heard once and still count."""
    found = doors.list_agent_states(unit.rows, unit.site_id)
    return [one for one in found if one.agent_id in plan.agents and not plan.agents[one.agent_id].revoked]


def _is_silent(unit: Unit, post: Post, agent: AgentState) -> bool:
    if agent.heard_at > unit.now:  # the server's clock was set back: silence is counted from here
        doors.set_agent_state(unit.rows, unit.site_id, replace(agent, heard_at=unit.now))
        return False
    return agent.heard_at < unit.now - timedelta(seconds=post.silence_seconds)


def hear_from(unit: Unit, plan: Plan, agent_id: str) -> AgentState:
    """Remember that an agent was heard just now, and that its doors are not silent; what is known of it."""
    known = doors.find_agent_state(unit.rows, agent_id) or AgentState(agent_id=agent_id, heard_at=unit.now)
    heard = replace(known, heard_at=unit.now)
    doors.set_agent_state(unit.rows, unit.site_id, heard)
    bring_online(unit, plan, agent_id)
    return heard


def hear_now_and_then(unit: Unit, post: Post, plan: Plan, agent_id: str) -> None:
    """As `hear_from`, but at most every half minute: a sighting must not cost a write more."""
    last = post.heard.get(agent_id)
    if last is None or not timedelta(0) <= unit.now - last < OFTEN_ENOUGH:
        hear_from(unit, plan, agent_id)
        post.heard[agent_id] = unit.now


def highest_of(unit: Unit, known: AgentState) -> int:
    """The greatest number that this agent ever gave to anything."""
    said = passages.highest_number(unit.rows, known.agent_id)
    return max(known.up_to, known.door_sequence, said)


def bring_online(unit: Unit, plan: Plan, agent_id: str) -> None:
    """Whatever an agent says, its doors are heard of again."""
    for door_id in doors.mark_online(unit.rows, unit.site_id, _doors_of(plan, agent_id)):
        record(unit, "door.changed", door=door_id, status="came-online")


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
