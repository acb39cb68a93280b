"""One passage from what was seen to what the barrier did."""

from dataclasses import dataclass, replace

from doorward.core.errors import Conflict, DoorwardError, Invalid, Tampered, Unavailable
from doorward.core.wire import (
    Direction,
    OfflineDecision,
    OfflineOutcome,
    Permit,
    Sighting,
    Signed,
    open_message,
)
from doorward_edge.alone import Alone, Because, decide_alone
from doorward_edge.journal import Journal
from doorward_edge.passage import Decision, Seen
from doorward_edge.permits import fault_of
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sighting under way; `at` is the monotonic second of its first asking."""

    seen: Seen
    sighting: Sighting
    at: float


class Doorman:
    """Asks, obeys, and decides alone when nobody answers. One passage at a time."""

    def __init__(self, post: Post, upkeep: Upkeep, journal: Journal) -> None:
        self._post = post
        self._upkeep = upkeep
        self._journal = journal

    @property
    def leads_out(self) -> bool:
        """Whether this gate is a way out; the signed policy outranks the local setting."""
        book = self._upkeep.book
        return (book.policy.direction if book else self._post.orders.direction) is Direction.OUT

    def pass_one(self, seen: Seen) -> Decision:
        """Decide one passage and move the barrier at most once."""
        began = self._post.clock.monotonic()
        try:
            decision = self._decide(seen)
        except (Unavailable, Tampered):
            # Only the agent's own memory can fail here: without it no permit can be marked as used.
            decision = self._unrecorded(seen, Because.DISK)
        total = (self._post.clock.monotonic() - began) * 1000
        self._count(decision)
        return replace(decision, total_ms=total)

    def after_a_fault(self, seen: Seen) -> Decision:
        """What is left when something of our own broke: shut, unless the way leads out."""
        return self._unrecorded(seen, Because.FAULT)

    def _decide(self, seen: Seen) -> Decision:
        if not self._upkeep.reachable:
            return self._decide_alone(seen, None)
        try:
            # What was decided alone comes first in number; outcomes can wait until the barrier has moved.
            self._journal.replay()
        except Unavailable:
            self._upkeep.lost()
            return self._decide_alone(seen, None)
        except DoorwardError:
            self._post.statistics.refused_reports += 1
        return self._ask(seen)

    def _ask(self, seen: Seen) -> Decision:
        post, orders = self._post, self._post.orders
        sighting = Sighting(
            agent_id=orders.agent_id,
            gate_id=orders.gate_id,
            sequence=post.state.next_sequence(),
            seen_at=post.watch.server_now(),
            face=seen.face,
            plate=seen.plate,
            card=seen.card,
            qr=seen.qr,
            pin=seen.pin,
            clock=post.watch.report(),
        )
        post.checkpoint(Step.NUMBERED)
        asked = _Asked(seen, sighting, post.clock.monotonic())
        try:
            answer = self._twice(post.sign(sighting))
            permit = open_message(post.server_key, Permit, answer)
        except Unavailable:
            self._upkeep.lost()
            return self._decide_alone(seen, sighting.sequence)
        except (Tampered, Invalid):
            post.statistics.not_genuine += 1
            return self._stand_firm(asked, Because.FORGED)
        except DoorwardError:
            return self._stand_firm(asked, Because.SERVER)
        post.checkpoint(Step.ANSWERED)
        return self._obey(asked, permit)

    def _twice(self, sighting: Signed) -> Signed:
        """An answer that was lost on its way is asked for once more: the server answers alike."""
        try:
            return self._post.link.ask(sighting)
        except Unavailable:
            return self._post.link.ask(sighting)

    def _stand_firm(self, asked: _Asked, because: Because) -> Decision:
        """No usable answer from a server that is there: no reason to decide alone, except to let out."""
        if self.leads_out:
            return self._decide_alone(asked.seen, asked.sighting.sequence)
        return Decision(seen=asked.seen, because=because, sequence=asked.sighting.sequence)

    def _obey(self, asked: _Asked, permit: Permit) -> Decision:
        post = self._post
        waited = post.clock.monotonic() - asked.at
        last_used = post.state.number("last_used")
        fault = fault_of(permit, asked.sighting, waited=waited, last_used=last_used)
        if fault is not None:
            post.statistics.not_genuine += fault is not Because.LATE
            return self._stand_firm(asked, fault)
        decision = Decision(
            seen=asked.seen,
            opens=permit.opens,
            because=permit.because,
            sequence=permit.sequence,
            permit_id=permit.permit_id,
            answered_ms=waited * 1000,
        )
        return self._use(decision, permit) if permit.opens else decision

    def _use(self, decision: Decision, permit: Permit) -> Decision:
        post = self._post
        try:
            post.state.mark_used(permit.sequence, permit.permit_id, permit.gate_id)
        except Conflict:
            return replace(decision, opens=False, because=Because.USED)
        self._upkeep.waits = True
        post.checkpoint(Step.MARKED)
        moved = self._move(permit.open_seconds)
        post.checkpoint(Step.MOVED)
        try:
            post.state.settle(permit.sequence, moved=moved, at=post.watch.server_now())
        except Unavailable:
            # It stays marked as used; `deliver` reports it as uncertain once the disk has room again.
            post.statistics.faults += 1
        post.checkpoint(Step.SETTLED)
        return replace(decision, moved=moved)

    def _move(self, seconds: int) -> bool:
        try:
            self._post.barrier.open(seconds)
        except Unavailable:
            self._post.statistics.not_moved += 1
            return False
        return True

    def _decide_alone(self, seen: Seen, instead_of: int | None) -> Decision:
        post, orders, book = self._post, self._post.orders, self._upkeep.book
        post.watch.look()
        alone = decide_alone(
            book,
            seen.credentials(
                least_frames=orders.least_plate_frames,
                least_confidence=orders.least_character_confidence,
            ),
            direction=Direction.OUT if self.leads_out else Direction.IN,
            now=post.watch.server_now(),
            doubtful=post.watch.doubtful,
        )
        post.statistics.decided_alone += 1
        if not alone.opens and not self._worth_keeping():
            return Decision(seen=seen, because=alone.because, offline=True)
        try:
            sequence = self._write_down(seen, alone, instead_of)
        except Unavailable:
            return self._unrecorded(seen, alone.because or Because.NO_RECORD)
        decision = Decision(
            seen=seen, opens=alone.opens, because=alone.because, sequence=sequence, offline=True
        )
        return self._open_alone(decision, sequence) if alone.opens else decision

    def _worth_keeping(self) -> bool:
        """Refusals fill the disk of whoever plays with a reader; openings are always written down."""
        if self._post.state.journal_length() < self._post.orders.most_refusals_kept:
            return True
        self._post.statistics.refusals_not_journalled += 1
        return False

    def _write_down(self, seen: Seen, alone: Alone, instead_of: int | None) -> int:
        self._upkeep.waits = True
        self._journal.close_open_decision()
        book = self._upkeep.book
        sequence = self._journal.write(
            OfflineDecision(
                opens=alone.opens,
                because=alone.because,
                subject_id=alone.subject_id,
                seen=alone.seen,
                face_seen=seen.face is not None,
                policy_version=book.policy.version if book else None,
                instead_of=instead_of,
            )
        )
        self._post.checkpoint(Step.JOURNALLED)
        return sequence

    def _open_alone(self, decision: Decision, sequence: int) -> Decision:
        book = self._upkeep.book
        moved = self._move(book.policy.open_seconds if book else self._post.orders.open_seconds)
        self._post.checkpoint(Step.MOVED_ALONE)
        try:
            self._journal.write(OfflineOutcome(about=sequence, moved=moved))
        except Unavailable:
            # The decision itself is kept, and is closed as uncertain before the next one.
            self._post.statistics.faults += 1
        self._post.checkpoint(Step.OUTCOME_JOURNALLED)
        return replace(decision, moved=moved)

    def _unrecorded(self, seen: Seen, because: Because) -> Decision:
        """What cannot be written down does not happen, except that nobody is locked in."""
        if not self.leads_out:
            return Decision(seen=seen, because=because, offline=True)
        self._post.statistics.unrecorded_openings += 1
        return Decision(seen=seen, opens=True, offline=True, moved=self._move(self._post.orders.open_seconds))

    def _count(self, decision: Decision) -> None:
        statistics = self._post.statistics
        statistics.passages += 1
        statistics.opened += decision.moved is True
        statistics.refused += not decision.opens
