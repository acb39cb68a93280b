"""What staff order: open now, lock, unlock, lockdown, evacuation, fire release, and the end of each."""

import re
from dataclasses import dataclass
from datetime import timedelta

from doorward.audit.service import record
from doorward.core.errors import Invalid, NotFound, Unavailable
from doorward.core.ids import new_id
from doorward.core.wire import Kind, Request, Signed, encode, sign
from doorward.gates.model import (
    EMERGENCIES,
    Agent,
    Order,
    Passage,
    PassageState,
    Plan,
    Reason,
    Verb,
)
from doorward.gates.service.admission import permit_of
from doorward.gates.service.post import Post, hear
from doorward.gates.store import passages, places
from doorward.platform.db import Unit

REFERENCE = re.compile(r"[A-Za-z0-9#/._-]{0,40}")
BY_HAND = "commanded"


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
) -> Order:
    """Put a verb in force at a gate, around a zone, or at the whole site; it stays until released."""
    plan, cause = post.plans.plan_of(unit), cause.checked()
    _check_place(plan, gate_id, zone_id)
    held = next((o for o in plan.orders if (o.verb, o.gate_id, o.zone_id) == (verb, gate_id, zone_id)), None)
    if held is not None:
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
    if order is None:
        raise NotFound("No order of that id is in force at this site.")
    return order


def is_emergency(verb: Verb) -> bool:
    """Whether a verb is for the right to emergencies rather than to commands."""
    return verb in EMERGENCIES


def open_now(unit: Unit, post: Post, gate_id: str, cause: Cause) -> Passage:
    """Give a permit on staff's word; the gate's agent fetches it with `commanded_permits`."""
    plan, cause = post.plans.plan_of(unit), cause.checked()
    gate = plan.gate(gate_id)
    passage = Passage(
        id=new_id("passage"),
        gate_id=gate.id,
        agent_id=_agent_of(plan, gate_id).id,
        # Agents count from one; microseconds since 1970 stay clear of any count they will reach.
        sequence=int(unit.now.timestamp() * 1_000_000),
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


def commanded_permits(unit: Unit, post: Post, signed: Signed) -> list[Signed]:
    """Permits given on staff's word that the asking agent has not answered and may still use."""
    request = hear(post.plans.plan_of(unit), Request, signed)
    since = unit.now - timedelta(seconds=post.permit_seconds)
    recent = passages.list_recent(unit.rows, (request.gate_id,), since, most=20)
    return [
        sign(
            post.keys.signing,
            post.keys.signer_id,
            Kind.PERMIT,
            passages.answer_of(unit.rows, passage.id),
        )
        for passage in recent
        if passage.because == BY_HAND
        and passage.state is PassageState.PERMITTED
        and passage.agent_id == request.agent_id
        and unit.now < passage.expires_at
    ]


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
        reason=cause.reason.value,
        reference=cause.reference,
    )
