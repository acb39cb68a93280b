"""What an agent may decide alone: its signed policy, and the time."""

import secrets
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from doorward.audit.service import record
from doorward.core import wire
from doorward.core.errors import DoorwardError
from doorward.core.wire import Credential, OfflinePolicy, PolicyEntry, Request, Signed, TimeReply, Wants
from doorward.gates.model import AlarmKind, Direction, Factor, Gate, Plan, Strictness, Verb, Zone
from doorward.gates.rules.orders import orders_at
from doorward.gates.service.alarms import raise_once
from doorward.gates.service.doorstates import hear_from, highest_of
from doorward.gates.service.hours import HoursAt
from doorward.gates.service.moving import counts_people
from doorward.gates.service.post import Post, hear
from doorward.gates.store import doors
from doorward.gates.store.doors import AgentState
from doorward.platform.db import Unit

FACTOR_OF = {Credential.CARD: Factor.CARD, Credential.QR: Factor.QR, Credential.PLATE: Factor.PLATE}
MOST_ENTRIES = 50_000


class Opens(Protocol):
    """Opens units for whoever asks."""

    def unit(self) -> AbstractContextManager[Unit]: ...
    def reading(self) -> AbstractContextManager[Unit]: ...


def answer_request(unit: Unit, post: Post, signed: Signed) -> Signed:
    """What an agent asked for: its policy for one gate, or the server's time."""
    answer = _answer_time(unit, post, signed)
    if isinstance(answer, Signed):
        return answer
    draft = _gather(unit, post, answer)
    return _seal(post, _issue(unit, post, answer, draft))


def answer_request_apart(opens: Opens, post: Post, signed: Signed) -> Signed:
    """As `answer_request`; a policy is gathered and hashed while others may write.

    A record that fails its proof has to be written down where it is found: only then does the policy take
    the writer's place.
    """
    with opens.unit() as unit:
        answer = _answer_time(unit, post, signed)
    if isinstance(answer, Signed):
        return answer
    try:
        with opens.reading() as unit:
            draft = _gather(unit, post, answer)
    except DoorwardError:
        with opens.unit() as unit:
            draft = _gather(unit, post, answer)
    with opens.unit() as unit:
        policy = _issue(unit, post, answer, draft)
    return _seal(post, policy)


def _answer_time(unit: Unit, post: Post, signed: Signed) -> Signed | Request:
    """The server's time, or the request if that is not what it asks for."""
    plan = post.plans.plan_of(unit)
    request = hear(plan, Request, signed)
    heard = hear_from(unit, plan, request.agent_id)
    if request.wants is not Wants.TIME:
        return request
    following = highest_of(unit, heard) + 1
    reply = TimeReply(nonce=request.nonce, received_at=unit.now, sent_at=unit.now, next_sequence=following)
    return wire.seal_message(post.keys.signing, post.keys.signer_id, reply)


def _seal(post: Post, policy: OfflinePolicy) -> Signed:
    return wire.seal_message(post.keys.signing, post.keys.signer_id, policy)


def handovers_to(unit: Unit, post: Post, signed: Signed) -> list[Signed]:
    """What introduces the present key to agents that know an older one, each signed by that older key."""
    hear(post.plans.plan_of(unit), Request, signed)
    return [
        wire.seal_message(older, post.keys.signer_id, wire.hand_over(older, post.keys.signing))
        for older in post.keys.older_signing
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """The hashed part of a policy, and how many credentials found no room in it."""

    hash_key: bytes
    until: datetime
    schedules: tuple[tuple[wire.Window, ...], ...]
    entries: tuple[PolicyEntry, ...]
    left_out: int


def _gather(unit: Unit, post: Post, request: Request) -> _Draft:
    """Credentials that suffice alone at a gate as keyed hashes, with their hours until the policy expires."""
    plan = post.plans.plan_of(unit)
    gate = plan.gate(request.gate_id)
    until = unit.now + timedelta(hours=post.policy_hours)
    alone, hours = (
        credentials_alone(gate, plan.zones.get(gate.to_zone_id or "")),
        HoursAt(unit, plan, gate, until),
    )
    key, left_out = secrets.token_bytes(32), 0
    entries, schedules = list[PolicyEntry](), dict[tuple[wire.Window, ...], int]()
    for kind, value, holder_id in post.identifier.credentials(unit) if alone else ():
        allowed = hours.of(post.identifier.subject_of(unit, holder_id)) if kind in alone else ()
        if not allowed:
            continue
        if len(entries) == MOST_ENTRIES:
            left_out += 1
            continue
        number = schedules.setdefault(allowed, len(schedules))
        hashed = wire.credential_hash(key, kind, value)
        entries.append(PolicyEntry(kind=kind, hash=hashed, subject_id=holder_id, schedule=number))
    return _Draft(
        hash_key=key, until=until, schedules=tuple(schedules), entries=tuple(entries), left_out=left_out
    )


def _issue(unit: Unit, post: Post, request: Request, draft: _Draft) -> OfflinePolicy:
    """Number a policy and write it down; the orders in it are those of this very moment.

    Numbers grow even if the server's clock was set back, so that each names one policy.
    """
    gate = post.plans.plan_of(unit).gate(request.gate_id)
    held = doors.find_agent_state(unit.rows, request.agent_id)
    known = held or AgentState(agent_id=request.agent_id, heard_at=unit.now)
    version = max(int(unit.now.timestamp() * 1000), known.policy_version + 1)
    doors.set_agent_state(unit.rows, unit.site_id, replace(known, policy_version=version))
    entries = len(draft.entries)
    record(unit, "policy.issued", agent=request.agent_id, gate=gate.id, entries=entries)
    if draft.left_out:
        detail = f"{draft.left_out} of {entries + draft.left_out} credentials left out"
        raise_once(unit, AlarmKind.POLICY_CUT, gate.id, detail=detail)
    return OfflinePolicy(
        agent_id=request.agent_id,
        gate_id=gate.id,
        version=version,
        nonce=request.nonce,
        not_before=unit.now,
        expires_at=draft.until,
        direction=wire.Direction(gate.direction.value),
        mode=mode_at(post.plans.plan_of(unit), gate, unit.now),
        open_seconds=gate.open_seconds,
        hash_key=draft.hash_key,
        journal_key=post.keys.journal_public,
        face_key=post.identifier.face_key(),
        schedules=draft.schedules,
        entries=draft.entries,
        least_frames=gate.least_frames,
        least_character_confidence=gate.least_character_confidence,
    )


def credentials_alone(gate: Gate, zone: Zone | None = None) -> frozenset[Credential]:
    """What opens this gate (which leads into that zone) without the server: only what opens it alone, unless
    the gate says otherwise.

    What looks beyond one person cannot be judged alone: two-person gates, interlocks, hard anti-passback and
    hard capacity stay shut. A way out opens always; there, credentials tell who left.
    """
    asked = {factor for part in gate.factors for factor in part}
    if gate.direction is Direction.OUT:
        return _kinds(asked) if counts_people(gate) else frozenset()
    if gate.two_person_seconds is not None or gate.interlock_id is not None or not gate.enabled:
        return frozenset()
    if gate.door_passback is Strictness.HARD or (zone is not None and _counts_strictly(zone)):
        return frozenset()
    return _kinds(
        asked if gate.offline_single_factor else {part[0] for part in gate.factors if len(part) == 1}
    )


def _counts_strictly(zone: Zone) -> bool:
    passback = Strictness.HARD in {zone.area_passback, zone.timed_passback}
    return passback or (zone.capacity is not None and zone.capacity_rule is Strictness.HARD)


def _kinds(factors: set[Factor]) -> frozenset[Credential]:
    return frozenset(kind for kind, factor in FACTOR_OF.items() if factor in factors)


def mode_at(plan: Plan, gate: Gate, now: datetime) -> wire.Mode:
    """The orders in force, in the words an agent knows; a locked gate counts as locked down."""
    orders = orders_at(gate, plan.orders, now)
    if Verb.FIRE in orders:
        return wire.Mode.EVACUATION
    if orders & {Verb.LOCKDOWN, Verb.LOCK}:
        return wire.Mode.LOCKDOWN
    if Verb.EVACUATION in orders:
        return wire.Mode.EVACUATION
    return wire.Mode.RELEASED if Verb.UNLOCK in orders else wire.Mode.NORMAL
