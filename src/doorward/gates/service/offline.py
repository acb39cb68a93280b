"""What an agent may decide alone: its signed policy, and the time."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from doorward.audit.service import record
from doorward.core import wire
from doorward.core.wire import Credential, OfflinePolicy, PolicyEntry, Request, Signed, TimeReply, Wants
from doorward.gates.model import (
    Effect,
    Factor,
    Gate,
    Grant,
    Hours,
    Plan,
    Subject,
    Verb,
    Window,
)
from doorward.gates.rules.orders import orders_at
from doorward.gates.rules.schedules import merged, windows
from doorward.gates.service.doorstates import hear_from
from doorward.gates.service.post import Post, hear
from doorward.gates.store import places
from doorward.platform.db import Unit

FACTOR_OF = {Credential.CARD: Factor.CARD, Credential.QR: Factor.QR, Credential.PLATE: Factor.PLATE}
MOST_ENTRIES = 50_000


def answer_request(unit: Unit, post: Post, signed: Signed) -> Signed:
    """What an agent asked for: its policy for one gate, or the server's time."""
    plan = post.plans.plan_of(unit)
    request = hear(plan, Request, signed)
    hear_from(unit, request.agent_id)
    if request.wants is Wants.TIME:
        reply = TimeReply(nonce=request.nonce, received_at=unit.now, sent_at=unit.now)
        return wire.seal_message(post.keys.signing, post.keys.signer_id, reply)
    policy = policy_for(unit, post, plan, request)
    record(unit, "policy.issued", agent=request.agent_id, gate=request.gate_id, entries=len(policy.entries))
    return wire.seal_message(post.keys.signing, post.keys.signer_id, policy)


def policy_for(unit: Unit, post: Post, plan: Plan, request: Request) -> OfflinePolicy:
    """Credentials that suffice alone at a gate as keyed hashes, with their hours until the policy expires."""
    gate = plan.gate(request.gate_id)
    until = unit.now + timedelta(hours=post.policy_hours)
    key = secrets.token_bytes(32)
    alone = credentials_alone(gate)
    hours = _Hours(unit, plan, gate, until)
    entries, schedules = list[PolicyEntry](), dict[tuple[wire.Window, ...], int]()
    for kind, value, holder_id in post.identifier.credentials(unit) if alone else ():
        allowed = hours.of(post.identifier.subject_of(unit, holder_id)) if kind in alone else ()
        if allowed and len(entries) < MOST_ENTRIES:
            number = schedules.setdefault(allowed, len(schedules))
            hashed = wire.credential_hash(key, kind, value)
            entries.append(PolicyEntry(kind=kind, hash=hashed, subject_id=holder_id, schedule=number))
    return OfflinePolicy(
        agent_id=request.agent_id,
        gate_id=gate.id,
        version=int(unit.now.timestamp() * 1000),
        nonce=request.nonce,
        not_before=unit.now,
        expires_at=until,
        direction=wire.Direction(gate.direction.value),
        mode=mode_at(plan, gate),
        open_seconds=gate.open_seconds,
        hash_key=key,
        journal_key=post.keys.journal_public,
        schedules=tuple(schedules),
        entries=tuple(entries),
    )


def credentials_alone(gate: Gate) -> frozenset[Credential]:
    """What opens this gate without the server: only what opens it alone, unless the gate says otherwise.

    A two-person gate, an interlock or a counted one cannot be judged alone and stays shut.
    """
    if gate.two_person_seconds is not None or gate.interlock_id is not None or not gate.enabled:
        return frozenset()
    if gate.offline_single_factor:
        asked = {factor for part in gate.factors for factor in part}
        return frozenset(kind for kind, factor in FACTOR_OF.items() if factor in asked)
    return frozenset(kind for kind, factor in FACTOR_OF.items() if (factor,) in gate.factors)


def mode_at(plan: Plan, gate: Gate) -> wire.Mode:
    """The orders in force, in the three words an agent knows; a locked gate counts as locked down."""
    orders = orders_at(gate, plan.orders)
    if Verb.FIRE in orders:
        return wire.Mode.EVACUATION
    if orders & {Verb.LOCKDOWN, Verb.LOCK}:
        return wire.Mode.LOCKDOWN
    return wire.Mode.EVACUATION if Verb.EVACUATION in orders else wire.Mode.NORMAL


class _Hours:
    """When each subject may pass one gate between now and the policy's end."""

    def __init__(self, unit: Unit, plan: Plan, gate: Gate, until: datetime) -> None:
        self._plan, self._start, self._end = plan, unit.now, until
        self._grants: dict[str, list[Grant]] = {}
        for grant in places.grants_for(unit.rows, unit.site_id, plan.targets[gate.id]):
            self._grants.setdefault(grant.holder_id, []).append(grant)

    def of(self, subject: Subject | None) -> tuple[wire.Window, ...]:
        if subject is None or subject.suspended:
            return ()
        held = [g for holder in (subject.id, *subject.group_ids) for g in self._grants.get(holder, ())]
        allowed = self._open(g for g in held if g.effect is Effect.ALLOW)
        denied = self._open(g for g in held if g.effect is Effect.DENY)
        limits = _between(subject.valid_from, subject.valid_until, self._start, self._end)
        left = without([w for one in allowed for w in _cut(one, limits)], denied)
        return tuple(wire.Window(opens=_instant(w.start), closes=_instant(w.end)) for w in left[:1000])

    def _open(self, grants: Iterable[Grant]) -> list[Window]:
        found: list[Window] = []
        for grant in grants:
            limits = _between(grant.valid_from, grant.valid_until, self._start, self._end)
            found += [w for one in self._scheduled(grant) for w in _cut(one, limits)]
        return list(merged(found))

    def _scheduled(self, grant: Grant) -> tuple[Window, ...]:
        always = (Window(int(self._start.timestamp()), int(self._end.timestamp())),)
        if grant.schedule_id is None:
            return always
        hours: Hours = self._plan.hours
        schedule = hours.schedules.get(grant.schedule_id)
        if schedule is None:
            return always if grant.effect is Effect.DENY else ()
        return windows(schedule, hours, self._start, self._end)


def without(allowed: list[Window], denied: list[Window]) -> list[Window]:
    """The allowed time that no denied window covers."""
    left = list(merged(allowed))
    for gap in denied:
        left = [piece for window in left for piece in _minus(window, gap)]
    return left


def _minus(window: Window, gap: Window) -> list[Window]:
    before = Window(window.start, min(window.end, gap.start))
    after = Window(max(window.start, gap.end), window.end)
    if gap.end <= window.start or gap.start >= window.end:
        return [window]
    return [piece for piece in (before, after) if piece.start < piece.end]


def _cut(window: Window, limits: Window) -> list[Window]:
    start, end = max(window.start, limits.start), min(window.end, limits.end)
    return [Window(start, end)] if start < end else []


def _between(since: datetime | None, until: datetime | None, start: datetime, end: datetime) -> Window:
    first = max(since, start) if since else start
    last = min(until, end) if until else end
    return Window(int(first.timestamp()), int(last.timestamp()))


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
