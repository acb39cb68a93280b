"""What staff order: open now, lock, unlock, lockdown, evacuation, fire release, and the end of each."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from doorward.audit.service import record
from doorward.core.errors import Denied, Invalid, NotFound, Unavailable
from doorward.core.ids import new_id
from doorward.core.permissions import Permission
from doorward.core.wire import Permit, Request, Signed, Standing, decode, encode, seal_message
from doorward.gates.model import (
    EMERGENCIES,
    Agent,
    Direction,
    Gate,
    Order,
    Passage,
    PassageState,
    Plan,
    Reason,
    Verb,
)
from doorward.gates.rules.orders import orders_at, reaches
from doorward.gates.service.admission import permit_of
from doorward.gates.service.doorstates import hear_now_and_then
from doorward.gates.service.offline import mode_at
from doorward.gates.service.post import Post, hear
from doorward.gates.store import lately, passages, places
from doorward.platform.db import Unit

REFERENCE = re.compile(r"[A-Za-z0-9#/._-]{0,40}")
BY_HAND = "commanded"
LEASE_SECONDS = 90
MAY_LAPSE = frozenset({Verb.LOCK, Verb.UNLOCK, Verb.LOCKDOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why staff step in: a reason from the list, and at most the number of a ticket."""

    reason: Reason
    reference: str = ""

    def checked(self) -> "Cause":
        """Itself; `Invalid` if the reference could hold a sentence or a name."""
        if not REFERENCE.fullmatch(self.reference):
            raise Invalid("A reference is the number of a ticket: up to 40 letters, digits and #/._- signs.")
        return self


def give_order(
    unit: Unit,
    post: Post,
    verb: Verb,
    cause: Cause,
    *,
    gate_id: str | None = None,
    zone_id: str | None = None,
    until: datetime | None = None,
) -> Order:
    """Put a verb in force at a gate, around a zone, or at the whole site, until released or `until`."""
    plan, cause = post.plans.plan_of(unit), cause.checked()
    _check_place(plan, gate_id, zone_id)
    _check_end(unit, verb, until)
    wanted = (verb, gate_id, zone_id, until)
    for held in plan.orders:
        if held.holds_at(unit.now) and (held.verb, held.gate_id, held.zone_id, held.until) == wanted:
            return held
    order = Order(
        id=new_id("order"),
        verb=verb,
        reason=cause.reason,
        reference=cause.reference,
        since=unit.now,
        by=unit.actor.id,
        gate_id=gate_id,
        zone_id=zone_id,
        until=until,
    )
    places.add_order(unit.rows, unit.site_id, order)
    places.mark_changed(unit.rows, unit.site_id)
    _write_down(unit, "order.given", order, cause)
    return order


def release(unit: Unit, post: Post, order_id: str, cause: Cause) -> Order:
    """End an order."""
    order, cause = find_order(unit, post, order_id), cause.checked()
    places.end_order(unit.rows, order_id, at=unit.now, by=unit.actor.id)
    places.mark_changed(unit.rows, unit.site_id)
    _write_down(unit, "order.released", order, cause)
    return order


def find_order(unit: Unit, post: Post, order_id: str) -> Order:
    """An order in force; `NotFound` if it has ended or never was."""
    order = next((o for o in post.plans.plan_of(unit).orders if o.id == order_id), None)
    if order is None or not order.holds_at(unit.now):
        raise NotFound("No order of that id is in force at this site.")
    return order


def orders_in_force(unit: Unit, post: Post) -> list[Order]:
    """The site's orders that hold now."""
    return [order for order in post.plans.plan_of(unit).orders if order.holds_at(unit.now)]


def end_lapsed_orders(unit: Unit, post: Post) -> int:
    """Take orders out of the plan whose time is over; they stopped counting by themselves. How many."""
    lapsed = [one for one in post.plans.plan_of(unit).orders if not one.holds_at(unit.now)]
    for order in lapsed:
        places.end_order(unit.rows, order.id, at=order.until or unit.now, by=unit.actor.id)
        record(unit, "order.lapsed", order=order.id, verb=order.verb.value)
    if lapsed:
        places.mark_changed(unit.rows, unit.site_id)
    return len(lapsed)


def is_emergency(verb: Verb) -> bool:
    """Whether a verb is for the right to emergencies rather than to commands."""
    return verb in EMERGENCIES


def open_now(unit: Unit, post: Post, gate_id: str, cause: Cause) -> Passage:
    """Give a permit on staff's word; the gate's agent fetches it with `standing_at`.

    `Denied` at a way in under lockdown, unless whoever asks may give and end emergencies.
    """
    plan, cause = post.plans.plan_of(unit), cause.checked()
    gate = plan.gate(gate_id)
    _check_lockdown(unit, plan, gate)
    agent = _agent_of(plan, gate_id)
    passage = Passage(
        id=new_id("passage"),
        gate_id=gate.id,
        agent_id=agent.id,
        sequence=_next_command(unit, agent.id),
        direction=gate.direction,
        subject_id=None,
        companion_id=None,
        seen_at=unit.now,
        decided_at=unit.now,
        state=PassageState.PERMITTED,
        because=BY_HAND,
        offline=False,
        expires_at=unit.now + timedelta(seconds=post.permit_seconds),
        open_seconds=gate.open_seconds,
    )
    answer = encode(permit_of(passage, valid_seconds=post.permit_seconds))
    passages.add_passage(unit.rows, unit.site_id, passage, answer)
    record(
        unit,
        "gate.commanded",
        passage=passage.id,
        gate=gate_id,
        reason=cause.reason.value,
        reference=cause.reference,
    )
    return passage


def _next_command(unit: Unit, agent_id: str) -> int:
    """Agents count from one; microseconds since 1970 stay clear of any count they will reach.

    A clock that was set back, or two orders at once, must not give a number again: agents take each once.
    """
    last = passages.last_command(unit.rows, agent_id)
    return max(int(unit.now.timestamp() * 1_000_000), last + 1)


def standing_at(unit: Unit, post: Post, signed: Signed) -> Signed:
    """The mode of the asking agent's gate, for a short lease, and the permits that staff gave by hand."""
    plan = post.plans.plan_of(unit)
    request = hear(plan, Request, signed)
    hear_now_and_then(unit, post, plan, request.agent_id)
    standing = Standing(
        agent_id=request.agent_id,
        gate_id=request.gate_id,
        nonce=request.nonce,
        mode=mode_at(plan, plan.gate(request.gate_id), unit.now),
        lease_seconds=LEASE_SECONDS,
        permits=tuple(_by_hand(unit, post, plan, request)),
    )
    return seal_message(post.keys.signing, post.keys.signer_id, standing)


def _by_hand(unit: Unit, post: Post, plan: Plan, request: Request) -> list[Permit]:
    """What the asking agent has not answered and may still use; a lockdown ends what was given before it."""
    since = unit.now - timedelta(seconds=post.permit_seconds)
    gate = plan.gate(request.gate_id)
    for order in plan.orders:
        if order.verb is Verb.LOCKDOWN and gate.direction is Direction.IN and reaches(order, gate):
            since = max(since, order.since)
    waiting = {PassageState.PERMITTED.value}
    recent = lately.list_recent(unit.rows, (request.gate_id,), since, most=20, states=waiting)
    return [
        decode(Permit, passages.answer_of(unit.rows, passage.id))
        for passage in recent
        if passage.because == BY_HAND
        and passage.agent_id == request.agent_id
        and unit.now < passage.expires_at
    ]


def _check_end(unit: Unit, verb: Verb, until: datetime | None) -> None:
    if until is None:
        return
    if verb not in MAY_LAPSE:
        raise Invalid("Evacuation and fire release hold until somebody ends them.")
    if until <= unit.now:
        raise Invalid("An order must end after now.")


def _check_lockdown(unit: Unit, plan: Plan, gate: Gate) -> None:
    shut = gate.direction is Direction.IN and Verb.LOCKDOWN in orders_at(gate, plan.orders, unit.now)
    if shut and not unit.actor.may(Permission.GATES_EMERGENCY, unit.site_id):
        raise Denied("A lockdown is in force: to open now needs the right gates:emergency.")


def _check_place(plan: Plan, gate_id: str | None, zone_id: str | None) -> None:
    if gate_id is not None and zone_id is not None:
        raise Invalid("An order is for one gate, or one zone, or the whole site: name at most one.")
    if gate_id is not None:
        plan.gate(gate_id)
    if zone_id is not None and zone_id not in plan.zones:
        raise NotFound("There is no such zone at this site.")


def _agent_of(plan: Plan, gate_id: str) -> Agent:
    for agent in plan.agents.values():
        if gate_id in agent.gate_ids and not agent.revoked:
            return agent
    raise Unavailable("No agent stands beside this gate: register one first.")


def _write_down(unit: Unit, event: str, order: Order, cause: Cause) -> None:
    record(
        unit,
        event,
        order=order.id,
        verb=order.verb.value,
        gate=order.gate_id,
        zone=order.zone_id,
        until=order.until and order.until.isoformat(),
        reason=cause.reason.value,
        reference=cause.reference,
    )
