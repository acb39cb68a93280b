"""Admitting: one sighting, decided once, written down before the answer leaves."""

import json
from dataclasses import dataclass
from datetime import timedelta

from doorward.audit.service import record
from doorward.core.encoding import canonical_json
from doorward.core.errors import Denied, NotFound
from doorward.core.ids import new_id
from doorward.core.wire import Kind, Permit, Sighting, Signed, encode, sign
from doorward.core.wire.shapes import plain
from doorward.gates.model import (
    Gate,
    Open,
    Passage,
    PassageState,
    Plan,
    Presence,
    Refusal,
    Seen,
    Situation,
    Strictness,
    Verdict,
)
from doorward.gates.rules.alarms import alarms_for
from doorward.gates.rules.decide import decide
from doorward.gates.service.alarms import raise_alarm
from doorward.gates.service.moving import counts_people, move
from doorward.gates.service.post import Post, hear
from doorward.gates.service.seeing import identify
from doorward.gates.service.situations import situation_of
from doorward.gates.store import passages, whereabouts
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue


@dataclass(frozen=True, slots=True)
class Heard:
    """A sighting whose signature holds, the plan it is judged by, and the passage it already led to."""

    plan: Plan
    gate: Gate
    sighting: Sighting
    held_id: str | None


def admit(unit: Unit, post: Post, signed: Signed) -> Signed:
    """The signed answer to a sighting: a permit that opens once and soon expires, or a refusal.

    A repeat is answered as before while that answer lasts, and refused after it; it never opens twice.
    `Denied` for an agent that is unknown, speaks for another's gate or did not sign this.
    """
    return decide_heard(unit, post, hear_sighting(unit, post, signed))


def decide_heard(unit: Unit, post: Post, heard: Heard) -> Signed:
    """Decide a sighting whose signature holds, write it down, and sign the answer."""
    if heard.held_id is not None:
        return _answer_again(unit, post, heard.held_id)
    plan, gate, sighting = heard.plan, heard.gate, heard.sighting
    seen = identify(unit, post, plan, gate, sighting)
    presence = _presence(unit, gate, seen)
    about = situation_of(unit, post, plan, gate, seen, presence=presence)
    verdict = decide(seen, about)
    passage = _passage(unit, post, sighting, seen, about, verdict=verdict, presence=presence)
    answer = canonical_json(plain(permit_of(passage, valid_seconds=post.permit_seconds)))
    passages.add_passage(unit.rows, unit.site_id, passage, answer)
    if isinstance(verdict, Open):
        move(unit, plan, gate, passage, before=presence)
    _write_down(unit, post, passage, seen, about, verdict=verdict)
    return sign(post.keys.signing, post.keys.signer_id, Kind.PERMIT, answer)


def hear_sighting(unit: Unit, post: Post, signed: Signed) -> Heard:
    """Verify a sighting and look for a repeat; writes nothing.

    What the plan in memory says is checked against the database in the look that also finds repeats; an
    agent that plan does not know may have been registered since.
    """
    plan = post.plans.latest(unit)
    try:
        sighting = hear(plan, Sighting, signed)
    except Denied:
        plan = post.plans.plan_of(unit)
        sighting = hear(plan, Sighting, signed)
    version, held_id = passages.opening_look(unit.rows, unit.site_id, sighting.agent_id, sighting.sequence)
    if version != plan.version:
        plan = post.plans.plan_of(unit)
        sighting = hear(plan, Sighting, signed)
    return Heard(plan, plan.gate(sighting.gate_id), sighting, held_id)


def permit_of(passage: Passage, *, valid_seconds: int) -> Permit:
    """What the agent is told of a passage: whether it opens and why, never who it was."""
    return Permit(
        permit_id=passage.id,
        gate_id=passage.gate_id,
        agent_id=passage.agent_id,
        sequence=passage.sequence,
        opens=passage.state is not PassageState.REFUSED,
        because=passage.because,
        open_seconds=passage.open_seconds,
        expires_at=passage.expires_at,
        valid_seconds=valid_seconds,
    )


def _answer_again(unit: Unit, post: Post, held_id: str) -> Signed:
    held = passages.find_passage(unit.rows, unit.site_id, held_id)
    if held is None:
        raise NotFound("This number was used at another site.")
    if unit.now < held.expires_at and not held.offline:
        body = passages.answer_of(unit.rows, held.id)
    else:
        body = encode(
            Permit(
                permit_id=new_id("passage"),
                gate_id=held.gate_id,
                agent_id=held.agent_id,
                sequence=held.sequence,
                opens=False,
                because=Refusal.REPEATED.value,
                open_seconds=0,
                expires_at=unit.now,
            )
        )
    record(unit, "gate.repeated", passage=held.id, gate=held.gate_id, agent=held.agent_id)
    return sign(post.keys.signing, post.keys.signer_id, Kind.PERMIT, body)


def _presence(unit: Unit, gate: Gate, seen: Seen) -> Presence | None:
    """Where the leading subject is; looked up only at gates to which it matters."""
    if seen.leading is None or not (counts_people(gate) or gate.door_passback is not Strictness.OFF):
        return None
    return whereabouts.find_presence(unit.rows, unit.site_id, seen.leading.id)


def _passage(
    unit: Unit,
    post: Post,
    sighting: Sighting,
    seen: Seen,
    about: Situation,
    *,
    verdict: Verdict,
    presence: Presence | None,
) -> Passage:
    gate, opens = about.gate, isinstance(verdict, Open)
    before = presence.zone_id if presence else None
    return Passage(
        id=new_id("passage"),
        gate_id=gate.id,
        agent_id=sighting.agent_id,
        sequence=sighting.sequence,
        direction=gate.direction,
        subject_id=seen.leading.id if seen.leading else None,
        companion_id=verdict.companion_id if isinstance(verdict, Open) else None,
        seen_at=sighting.seen_at,
        decided_at=unit.now,
        state=PassageState.PERMITTED if opens else PassageState.REFUSED,
        because=verdict.because.value,
        offline=False,
        expires_at=unit.now + timedelta(seconds=post.permit_seconds),
        open_seconds=gate.open_seconds if opens else 0,
        zone_before=before,
        zone_after=gate.to_zone_id if opens and counts_people(gate) else before,
        trace=write_trace(verdict),
    )


def write_trace(verdict: Verdict) -> str:
    """Each rule's answer as a line of JSON: rule, whether it passed, in words, and what it refuses with."""
    return json.dumps(
        [[f.rule, f.passed, f.detail, f.refusal and f.refusal.value] for f in verdict.trace],
        separators=(",", ":"),
    )


def _write_down(
    unit: Unit, post: Post, passage: Passage, seen: Seen, about: Situation, *, verdict: Verdict
) -> None:
    record(
        unit,
        "gate.decided",
        subject_id=passage.subject_id,
        passage=passage.id,
        gate=passage.gate_id,
        agent=passage.agent_id,
        opens=isinstance(verdict, Open),
        because=passage.because,
    )
    for kind in alarms_for(seen, about, verdict):
        raise_alarm(unit, kind, passage.gate_id, subject_id=passage.subject_id, passage_id=passage.id)
    for job in post.reactions:
        enqueue(unit, job, passage_id=passage.id)
