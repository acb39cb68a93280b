"""Taking over what agents decided alone: each entry once, in order, none left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from doorward.audit.service import record
from doorward.core import wire
from doorward.core.errors import Conflict, Denied, DoorwardError, Tampered
from doorward.core.ids import new_id
from doorward.core.wire import (
    ChainRestart,
    Door,
    JournalEntry,
    OfflineDecision,
    OfflineDoor,
    OfflineOutcome,
    Receipt,
    RefusedEntry,
    Signed,
    link_of,
    open_fact,
)
from doorward.gates.model import AlarmKind, Gate, Passage, PassageState, Plan
from doorward.gates.service.admission import number_of_its_own
from doorward.gates.service.alarms import raise_alarm, raise_once
from doorward.gates.service.doorstates import FIRE_CONTACT, change_door, hear_from
from doorward.gates.service.moving import count_late, counts_people
from doorward.gates.service.outcomes import OPEN_ENDED, settle
from doorward.gates.service.post import Post, hear
from doorward.gates.store import doors, passages, whereabouts
from doorward.gates.store.doors import AgentState
from doorward.platform.db import Unit


@dataclass(frozen=True, slots=True)
class _Desk:
    unit: Unit
    post: Post
    plan: Plan


def replay(unit: Unit, post: Post, entries: Sequence[Signed], *, restart: Signed | None = None) -> Signed:
    """Take journal entries over and say how far the journal is held; entries held before are passed over.

    An entry that does not follow the last one held is not taken: the receipt stops before it, and an alarm
    tells that the journal was broken, until the agent signs that its chain restarts there. An entry that
    cannot be taken is linked, named in the receipt and alarmed, so that those after it are heard.
    `Denied` as for any message of an agent.
    """
    desk = _Desk(unit, post, post.plans.plan_of(unit))
    if not entries:
        raise Conflict("A journal of no entries has nothing to hold.")
    heard = [(signed, hear(desk.plan, JournalEntry, signed, any_gate=True)) for signed in entries]
    agent_id = heard[0][1].agent_id
    known = doors.find_agent_state(unit.rows, agent_id)
    state = known or AgentState(agent_id=agent_id, heard_at=unit.now)
    if restart is not None:
        state = _restarted(desk, state, hear(desk.plan, ChainRestart, restart, any_gate=True))
    refused: list[RefusedEntry] = []
    for signed, entry in heard:
        if entry.sequence <= state.up_to:
            continue
        if entry.previous != state.head or entry.agent_id != agent_id:
            raise_once(unit, AlarmKind.JOURNAL_BROKEN, agent_id, detail=f"after {state.up_to}")
            break
        refused += _taken(desk, entry, state)
        state = replace(state, up_to=entry.sequence, head=link_of(signed.body))
    doors.set_agent_state(unit.rows, unit.site_id, state)
    hear_from(unit, desk.plan, agent_id)
    record(unit, "journal.held", agent=agent_id, up_to=state.up_to)
    receipt = Receipt(agent_id=agent_id, up_to=state.up_to, head=state.head, refused=tuple(refused))
    return wire.seal_message(post.keys.signing, post.keys.signer_id, receipt)


def _restarted(desk: _Desk, state: AgentState, restart: ChainRestart) -> AgentState:
    """The state from which the agent's chain goes on; unchanged for a restart that is not about our head."""
    ours = (restart.agent_id, restart.held) == (state.agent_id, state.head)
    if not ours or restart.sequence <= state.up_to:
        return state
    detail = f"restarts at {restart.sequence} after {state.up_to}"
    raise_once(desk.unit, AlarmKind.JOURNAL_BROKEN, restart.agent_id, detail=detail)
    record(desk.unit, "journal.restarted", agent=restart.agent_id, up_to=state.up_to, at=restart.sequence)
    return replace(state, head=restart.previous)


def _taken(desk: _Desk, entry: JournalEntry, state: AgentState) -> list[RefusedEntry]:
    """Take one entry over; what is in the way, if it cannot be taken."""
    try:
        _take(desk, entry, door_sequence=state.door_sequence)
    except DoorwardError as error:
        because = "unreadable" if isinstance(error, Tampered) else error.code
        raise_once(
            desk.unit, AlarmKind.JOURNAL_BROKEN, entry.agent_id, detail=f"{entry.sequence} is {because}"
        )
        return [RefusedEntry(sequence=entry.sequence, because=because)]
    return []


def _take(desk: _Desk, entry: JournalEntry, *, door_sequence: int) -> None:
    keys = desk.post.keys
    fact = open_fact(keys.journal, entry, older=keys.older_journals)
    gate = desk.plan.gate(entry.gate_id)
    if gate.id not in desk.plan.agents[entry.agent_id].gate_ids:
        raise Denied("This agent may not speak for this gate.")
    if entry.clock_doubtful:
        raise_once(desk.unit, AlarmKind.BACKWARD_CLOCK, entry.agent_id, detail="the agent doubts its clock")
    match fact:
        case OfflineDecision():
            _decided(desk, gate, entry, fact)
        case OfflineOutcome():
            _moved(desk, entry, fact)
        case OfflineDoor() if entry.sequence > door_sequence or fact.state in FIRE_CONTACT:
            change_door(desk.unit, desk.plan, gate, fact.state, at=entry.at)
        case OfflineDoor():
            _was(desk, gate, fact.state)


def _was(desk: _Desk, gate: Gate, told: Door) -> None:
    """Keep what a door said before something newer as history; an opened cover alarms all the same."""
    record(desk.unit, "door.was", door=gate.leaf, status=told.value)
    if told is Door.TAMPERED:
        raise_once(desk.unit, AlarmKind.DOOR_TAMPERED, gate.leaf)


def _decided(desk: _Desk, gate: Gate, entry: JournalEntry, fact: OfflineDecision) -> None:
    unit = desk.unit
    if fact.instead_of is not None:
        held = passages.find_numbered(unit.rows, entry.agent_id, fact.instead_of)
        if held is not None and not _disagrees(held, fact):
            passages.merge_offline(unit.rows, held.id, entry.sequence)
            record(unit, "gate.decided-twice", passage=held.id, gate=gate.id, agent=entry.agent_id)
            if not fact.opens and held.state in OPEN_ENDED:
                settle(unit, desk.plan, held, moved=False, certain=True)
            return
    passage = _passage(desk, gate, entry, fact)
    if passages.find_numbered(unit.rows, entry.agent_id, entry.sequence) is not None:
        raise_once(unit, AlarmKind.NUMBER_REUSED, entry.agent_id, detail=f"number {entry.sequence}")
        passage = replace(passage, sequence=number_of_its_own())
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
    if passage.sequence != entry.sequence:
        passages.merge_offline(unit.rows, passage.id, entry.sequence)
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
    if not (fact.moved and passage.offline):
        return
    if passage.subject_id is not None:
        count_late(unit, desk.plan, passage)
        return
    gate = desk.plan.gate(passage.gate_id)
    if counts_people(gate):
        raise_once(unit, AlarmKind.COUNT_UNSURE, gate.from_zone_id or gate.to_zone_id or gate.id)
