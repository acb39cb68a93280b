"""One passage from what was seen to what the barrier did."""

from dataclasses import dataclass, replace
from typing import Final

from doorward.core.errors import Conflict, DoorwardError, Invalid, Tampered, Unavailable
from doorward.core.wire import FaceEvidence, Permit, Sighting, Signed
from doorward_edge.alone import Because
from doorward_edge.passage import Decision, Seen
from doorward_edge.permits import fault_of
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.standalone import Standalone
from doorward_edge.upkeep import Upkeep

STALE: Final = "stale"
INTERLOCKED: Final = "interlocked"
INTERLOCK_SECONDS: Final = 30.0
STREAK_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """A sighting under way; `at` is the monotonic second of its first asking."""

    seen: Seen
    sighting: Sighting
    at: float
    again: bool


class Doorman:
    """Asks, obeys, and decides alone when nobody answers. One passage at a time.

    A way out opens on every refusal and every doubt; only an interlock may keep it shut, for a while.
    """

    def __init__(self, post: Post, upkeep: Upkeep, alone: Standalone) -> None:
        self._post = post
        self._upkeep = upkeep
        self._alone = alone
        self._interlocked: tuple[float, float] | None = None  # first and last refusal of a row of them

    def pass_one(self, seen: Seen) -> Decision:
        """Decide one passage and move the barrier at most once."""
        began = self._post.clock.monotonic()
        try:
            decision = self._decide(seen)
        except (Unavailable, Tampered, Conflict):
            # Only the agent's own memory can fail here: without it no permit can be marked as used.
            decision = self._alone.unrecorded(seen, Because.DISK)
        total = (self._post.clock.monotonic() - began) * 1000
        self._count(decision)
        return replace(decision, total_ms=total)

    def after_a_fault(self, seen: Seen) -> Decision:
        """What is left when something of our own broke: shut, unless the way leads out."""
        return self._alone.unrecorded(seen, Because.FAULT)

    def _decide(self, seen: Seen) -> Decision:
        if not (self._post.state.is_kept or self._alone.leads_out):
            # What was used up would be forgotten at the next start.
            return self._alone.unrecorded(seen, Because.NO_STATE)
        # What was decided alone is told in the background: its numbers are below the one given now.
        return self._ask(seen) if self._upkeep.reachable else self._alone.decide(seen, None)

    def _ask(self, seen: Seen, *, again: bool = False) -> Decision:
        post, orders = self._post, self._post.orders
        now, sequence = post.clock.monotonic(), post.state.next_sequence()
        sighting = Sighting(
            agent_id=orders.agent_id,
            gate_id=orders.gate_id,
            sequence=sequence,
            seen_at=post.watch.server_at(now if seen.at is None else seen.at),
            face=self._sealed(seen, sequence),
            plate=seen.plate,
            card=seen.card,
            qr=seen.qr,
            pin=seen.pin,
            clock=post.watch.report(),
        )
        post.checkpoint(Step.NUMBERED)
        asked = _Asked(seen, sighting, post.clock.monotonic(), again)
        try:
            permit = post.open(Permit, self._twice(post.sign(sighting)))
        except Unavailable:
            self._upkeep.lost()
            return self._alone.decide(seen, sighting.sequence)
        except (Tampered, Invalid):
            post.statistics.not_genuine += 1
            return self._stand_firm(asked, Because.FORGED)
        except DoorwardError:
            return self._stand_firm(asked, Because.SERVER)
        post.checkpoint(Step.ANSWERED)
        return self._obey(asked, permit)

    def _sealed(self, seen: Seen, sequence: int) -> FaceEvidence | None:
        """The face for this sighting; none where no policy has yet told to which key."""
        if seen.face is None:
            return None
        if self._upkeep.book is None:
            self._upkeep.round()
        book, orders = self._upkeep.book, self._post.orders
        if book is None:
            return None
        key, place = book.policy.face_key, {"agent_id": orders.agent_id, "gate_id": orders.gate_id}
        return seen.face.sealed(key, **place, sequence=sequence)

    def _twice(self, sighting: Signed) -> Signed:
        """An answer that was lost on its way is asked for once more: the server answers alike."""
        try:
            return self._post.link.ask(sighting)
        except Unavailable:
            return self._post.link.ask(sighting)

    def _stand_firm(self, asked: _Asked, because: Because) -> Decision:
        """No usable answer from a server that is there: no reason to decide alone, except to let out."""
        if self._alone.leads_out:
            return self._alone.decide(asked.seen, asked.sighting.sequence)
        return Decision(seen=asked.seen, because=because, sequence=asked.sighting.sequence)

    def _obey(self, asked: _Asked, permit: Permit) -> Decision:
        post = self._post
        waited = post.clock.monotonic() - asked.at
        fault = fault_of(permit, asked.sighting, waited=waited, last_used=post.state.number("last_used"))
        if fault is not None:
            post.statistics.not_genuine += fault is not Because.LATE
            if fault is Because.LATE and permit.opens and not self._alone.leads_out:
                self._spend(permit)
            return self._stand_firm(asked, fault)
        decision = Decision(
            seen=asked.seen,
            opens=permit.opens,
            because=permit.because,
            sequence=permit.sequence,
            permit_id=permit.permit_id,
            answered_ms=waited * 1000,
        )
        return self._use(asked, permit, decision) if permit.opens else self._refused(asked, permit, decision)

    def _refused(self, asked: _Asked, permit: Permit, decision: Decision) -> Decision:
        """A refusal that lies in our own number or clock is mended and asked anew, once; a way out opens."""
        if not asked.again and permit.highest is not None:
            self._post.state.go_on_from(permit.highest + 1)
            return self._ask(asked.seen, again=True)
        if not asked.again and permit.because == STALE and self._has_measured():
            return self._ask(asked.seen, again=True)
        if self._alone.leads_out and not self._holds_back(permit):
            return self._alone.decide(asked.seen, asked.sighting.sequence)
        return decision

    def _has_measured(self) -> bool:
        try:
            self._upkeep.set_time()
        except DoorwardError:
            return False
        return True

    def _holds_back(self, permit: Permit) -> bool:
        """Whether an interlock may keep a way out shut: not for longer than half a minute in a row."""
        if permit.because != INTERLOCKED:
            return False
        now = self._post.clock.monotonic()
        first, last = self._interlocked or (now, now)
        self._interlocked = (now if now - last > STREAK_SECONDS else first, now)
        return now - self._interlocked[0] < INTERLOCK_SECONDS

    def _spend(self, permit: Permit) -> None:
        """A permit that came too late moves nothing; the server is told, so that nobody counts as inside."""
        try:
            self._post.state.mark_used(permit.sequence, permit.permit_id, permit.gate_id)
            self._post.state.settle(permit.sequence, moved=False, at=self._post.watch.server_now())
        except DoorwardError:
            return
        self._upkeep.waits = True

    def _use(self, asked: _Asked, permit: Permit, decision: Decision) -> Decision:
        post = self._post
        self._interlocked = None
        try:
            post.state.mark_used(permit.sequence, permit.permit_id, permit.gate_id)
        except Conflict:
            return self._stand_firm(asked, Because.USED)
        post.checkpoint(Step.MARKED)
        moved = post.move(permit.open_seconds)
        post.checkpoint(Step.MOVED)
        try:
            post.state.settle(permit.sequence, moved=moved, at=post.watch.server_now())
        except DoorwardError:
            # It stays marked as used; `deliver` reports it as uncertain once the disk has room again.
            post.statistics.faults += 1
        self._upkeep.waits = True
        post.checkpoint(Step.SETTLED)
        return replace(decision, moved=moved)

    def _count(self, decision: Decision) -> None:
        statistics = self._post.statistics
        statistics.passages += 1
        statistics.opened += decision.moved is True
        statistics.refused += not decision.opens
