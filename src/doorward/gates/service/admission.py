"""Admitting: one sighting, decided once, written down before the answer leaves."""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

from doorward.audit.service import record
from doorward.core.encoding import canonical_json
from doorward.core.errors import Denied
from doorward.core.ids import new_id
from doorward.core.wire import Kind, Permit, Sighting, Signed, encode, sign
from doorward.core.wire.shapes import plain
from doorward.gates.model import (
    AlarmKind,
    Direction,
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
from doorward.gates.service.alarms import raise_alarm, raise_once
from doorward.gates.service.doorstates import hear_now_and_then, highest_of
from doorward.gates.service.moving import counts_people, move
from doorward.gates.service.post import Post, hear
from doorward.gates.service.seeing import identify
from doorward.gates.service.situations import situation_of
from doorward.gates.store import doors, passages, whereabouts
from doorward.gates.store.doors import AgentState
from doorward.gates.store.passages import Held
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue


@dataclass(frozen=True, slots=True)
class Heard:
    """A sighting whose signature holds, the plan it is judged by, and the passage it already led to."""

    plan: Plan
    gate: Gate
    sighting: Sighting
    asked: bytes
    held: Held | None

    @property
    def leads_out(self) -> bool:
        """Whether it was seen at a way out."""
        return self.gate.direction is Direction.OUT


def admit(unit: Unit, post: Post, signed: Signed) -> Signed:
    """The signed answer to a sighting: a permit that opens once and soon expires, or a refusal.

    A repeat is answered as before while that answer lasts, and refused after it; it never opens twice. So is
    something else under a number used before: whoever forgot their numbers must not get another's answer.
    Ways out are decided anew in both cases.
    `Denied` for an agent that is unknown, speaks for another's gate or did not sign this.
    """
    return decide_heard(unit, post, hear_sighting(unit, post, signed))


def decide_heard(unit: Unit, post: Post, heard: Heard) -> Signed:
    """Decide a sighting whose signature holds, write it down, and sign the answer."""
    again = _answer_again(unit, post, heard) if heard.held is not None else None
    if again is not None:
        return again
    plan, gate, sighting = heard.plan, heard.gate, heard.sighting
    hear_now_and_then(unit, post, plan, sighting.agent_id)
    seen = identify(unit, post, plan, gate, sighting)
    presence = _presence(unit, gate, seen)
    about = situation_of(unit, post, plan, gate, seen, presence=presence)
    verdict = decide(seen, about)
    passage = _passage(unit, post, sighting, seen, about, verdict=verdict, presence=presence)
    answer = canonical_json(plain(permit_of(passage, valid_seconds=post.permit_seconds)))
    if heard.held is not None:
        passage = replace(passage, sequence=number_of_its_own())
    passages.add_passage(unit.rows, unit.site_id, passage, answer, asked=heard.asked)
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
    version, held = passages.opening_look(unit.rows, unit.site_id, sighting.agent_id, sighting.sequence)
    if version != plan.version:
        plan = post.plans.plan_of(unit)
        sighting = hear(plan, Sighting, signed)
    return Heard(plan, plan.gate(sighting.gate_id), sighting, sha256(signed.body).digest(), held)


def number_of_its_own() -> int:
    """For a passage whose own number was used before; agents count from one."""
    return -1 - secrets.randbits(52)


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


def _answer_again(unit: Unit, post: Post, heard: Heard) -> Signed | None:
    """The answer to a number that was used before; None where the way out is decided anew."""
    assert heard.held is not None
    sighting, same = heard.sighting, heard.held.asked == heard.asked
    held = passages.find_passage(unit.rows, unit.site_id, heard.held.passage_id)
    passage_id, agent_id = heard.held.passage_id, sighting.agent_id
    record(unit, "gate.repeated", passage=passage_id, gate=sighting.gate_id, agent=agent_id, same=same)
    if same and held is not None and held.decided_at <= unit.now < held.expires_at:
        body = passages.answer_of(unit.rows, held.id)
        return sign(post.keys.signing, post.keys.signer_id, Kind.PERMIT, body)
    if not same:
        raise_once(unit, AlarmKind.NUMBER_REUSED, agent_id, detail=f"number {sighting.sequence}")
    return None if heard.leads_out else _refused_again(unit, post, sighting, same=same)


def _refused_again(unit: Unit, post: Post, sighting: Sighting, *, same: bool) -> Signed:
    """No opening for a number that was used; if for something else, with the number to go on above."""
    known = doors.find_agent_state(unit.rows, sighting.agent_id)
    state = known or AgentState(agent_id=sighting.agent_id, heard_at=unit.now)
    permit = Permit(
        permit_id=new_id("passage"),
        gate_id=sighting.gate_id,
        agent_id=sighting.agent_id,
        sequence=sighting.sequence,
        opens=False,
        because=(Refusal.REPEATED if same else Refusal.NUMBER_USED).value,
        open_seconds=0,
        expires_at=unit.now,
        highest=None if same else highest_of(unit, state),
    )
    return sign(post.keys.signing, post.keys.signer_id, Kind.PERMIT, encode(permit))


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
