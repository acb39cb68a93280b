"""Taking over what agents decided alone: each entry once, in order, none left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from doorward.audit.service import record
from doorward.core import wire
from doorward.core.errors import Conflict
from doorward.core.ids import new_id
from doorward.core.wire import (
    JournalEntry,
    OfflineDecision,
    OfflineDoor,
    OfflineOutcome,
    Receipt,
    Signed,
    link_of,
    open_fact,
)
from doorward.gates.model import AlarmKind, Gate, Passage, PassageState, Plan
from doorward.gates.service.alarms import raise_alarm, raise_once
from doorward.gates.service.doorstates import change_door
from doorward.gates.service.moving import counts_people, move
from doorward.gates.service.outcomes import settle
from doorward.gates.service.post import Post, from_outside, hear
from doorward.gates.store import doors, passages, whereabouts
from doorward.gates.store.doors import AgentState
from doorward.platform.db import Unit


@dataclass(frozen=True, slots=True)
class _Desk:
    unit: Unit
    post: Post
    plan: Plan


def replay(unit: Unit, post: Post, entries: Sequence[Signed]) -> Signed:
    """Take journal entries over and say how far the journal is held; entries held before are passed over.

    An entry that does not follow the last one held is not taken: the receipt stops before it, and an alarm
    tells that the journal was broken. `Denied` as for any message of an agent.
    """
    desk = _Desk(unit, post, post.plans.plan_of(unit))
    if not entries:
        raise Conflict("A journal of no entries has nothing to hold.")
    heard = [(signed, hear(desk.plan, JournalEntry, signed)) for signed in entries]
    agent_id = heard[0][1].agent_id
    known = doors.find_agent_state(unit.rows, agent_id)
    state = known or AgentState(agent_id=agent_id, heard_at=unit.now)
    for signed, entry in heard:
        if entry.sequence <= state.up_to:
            continue
        if entry.previous != state.head or entry.agent_id != agent_id:
            raise_once(unit, AlarmKind.JOURNAL_BROKEN, agent_id, detail=f"after {state.up_to}")
            break
        _take(desk, entry)
        state = replace(state, up_to=entry.sequence, head=link_of(signed.body))
    doors.set_agent_state(unit.rows, unit.site_id, replace(state, heard_at=unit.now))
    record(unit, "journal.held", agent=agent_id, up_to=state.up_to)
    receipt = Receipt(agent_id=agent_id, up_to=state.up_to, head=state.head)
    return wire.seal_message(post.keys.signing, post.keys.signer_id, receipt)


def _take(desk: _Desk, entry: JournalEntry) -> None:
    keys = desk.post.keys
    with from_outside():
        fact = open_fact(keys.journal, entry, older=keys.older_journals)
    gate = desk.plan.gate(entry.gate_id)
    if entry.clock_doubtful:
        raise_once(desk.unit, AlarmKind.BACKWARD_CLOCK, entry.agent_id, detail="the agent doubts its clock")
    match fact:
        case OfflineDecision():
            _decided(desk, gate, entry, fact)
        case OfflineOutcome():
            _moved(desk, entry, fact)
        case OfflineDoor():
            change_door(desk.unit, desk.plan, gate, fact.state, at=entry.at)


def _decided(desk: _Desk, gate: Gate, entry: JournalEntry, fact: OfflineDecision) -> None:
    unit = desk.unit
    if fact.instead_of is not None:
        held = passages.find_numbered(unit.rows, entry.agent_id, fact.instead_of)
        if held is not None and not _disagrees(held, fact):
            passages.merge_offline(unit.rows, held.id, entry.sequence)
            record(unit, "gate.decided-twice", passage=held.id, gate=gate.id, agent=entry.agent_id)
            if not fact.opens and held.state is PassageState.PERMITTED:
                settle(unit, desk.plan, held, moved=False, certain=True)
            return
    passage = _passage(desk, gate, entry, fact)
    passages.add_passage(unit.rows, unit.site_id, passage, b"")
    record(
        unit,
        "gate.decided-offline",
        subject_id=passage.subject_id,
        passage=passage.id,
        gate=gate.id,
        agent=entry.agent_id,
        opens=fact.opens,
        because=passage.because,
    )
    if fact.instead_of is not None and fact.opens:
        raise_alarm(unit, AlarmKind.OFFLINE_DISAGREED, gate.id, passage_id=passage.id)


def _disagrees(held: Passage, fact: OfflineDecision) -> bool:
    """Whether the agent let somebody in whom the server had refused; the other way round nobody passed."""
    return fact.opens and held.state is PassageState.REFUSED


def _passage(desk: _Desk, gate: Gate, entry: JournalEntry, fact: OfflineDecision) -> Passage:
    unit = desk.unit
    known = whereabouts.find_presence(unit.rows, unit.site_id, fact.subject_id) if fact.subject_id else None
    before = known.zone_id if known else None
    return Passage(
        id=new_id("passage"),
        gate_id=gate.id,
        agent_id=entry.agent_id,
        sequence=entry.sequence,
        direction=gate.direction,
        subject_id=fact.subject_id,
        companion_id=None,
        seen_at=entry.at,
        decided_at=unit.now,
        state=PassageState.PERMITTED if fact.opens else PassageState.REFUSED,
        because=fact.because or "offline-policy",
        offline=True,
        # The outcome is in the same journal; a sweep looks only after it had time to arrive.
        expires_at=unit.now,
        open_seconds=gate.open_seconds if fact.opens else 0,
        zone_before=before,
        zone_after=gate.to_zone_id if fact.opens and counts_people(gate) else before,
    )


def _moved(desk: _Desk, entry: JournalEntry, fact: OfflineOutcome) -> None:
    unit = desk.unit
    passage = passages.find_told_offline(unit.rows, entry.agent_id, fact.about)
    if passage is None or passage.state is PassageState.REFUSED:
        raise_once(unit, AlarmKind.JOURNAL_BROKEN, entry.agent_id, detail=f"no decision {fact.about}")
        return
    if passage.state in {PassageState.OPENED, PassageState.FAILED}:
        return
    settle(unit, desk.plan, passage, moved=fact.moved, certain=fact.certain)
    if fact.moved and passage.offline and passage.subject_id is not None:
        _count(desk, passage)


def _count(desk: _Desk, passage: Passage) -> None:
    """Count an offline passage, unless the person has been seen elsewhere since."""
    unit = desk.unit
    known = whereabouts.find_presence(unit.rows, unit.site_id, passage.subject_id or "")
    if known is None or known.since <= passage.seen_at:
        move(unit, desk.plan, desk.plan.gate(passage.gate_id), passage, before=known)
