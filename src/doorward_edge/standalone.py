"""A passage without the server's word: decided from the policy, written down, then moved."""

from dataclasses import replace

from doorward.core.errors import Tampered, Unavailable
from doorward.core.wire import Direction, OfflineDecision, OfflineOutcome
from doorward_edge.alone import Alone, Because, decide_alone
from doorward_edge.held import Held
from doorward_edge.journal import Journal
from doorward_edge.passage import Decision, Seen
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep


class Standalone:
    """What the agent does when nobody answers. What cannot be written down lets nobody in, all out."""

    def __init__(self, post: Post, upkeep: Upkeep, journal: Journal, held: Held) -> None:
        self._post = post
        self._upkeep = upkeep
        self._journal = journal
        self._held = held

    @property
    def leads_out(self) -> bool:
        """Whether this gate is a way out."""
        return self._upkeep.leads_out

    def decide(self, seen: Seen, instead_of: int | None) -> Decision:
        """Decide by the last policy; `instead_of` is the number of a question that got no usable answer."""
        post = self._post
        post.watch.look()
        alone = self._alone(seen)
        post.statistics.decided_alone += 1
        if not alone.opens and not self._worth_keeping():
            return Decision(seen=seen, because=alone.because, offline=True)
        try:
            sequence = self._write_down(seen, alone, instead_of)
        except (Unavailable, Tampered):
            return self.unrecorded(seen, alone.because or Because.NO_RECORD)
        decision = Decision(
            seen=seen, opens=alone.opens, because=alone.because, sequence=sequence, offline=True
        )
        return self._open(decision, sequence) if alone.opens else decision

    def unrecorded(self, seen: Seen, because: Because) -> Decision:
        """What cannot be written down does not happen, except that nobody is locked in, nor kept from passing
        a gate that is held open to all.
        """
        if not (self.leads_out or self._held.is_open_to_all):
            return Decision(seen=seen, because=because, offline=True)
        self._post.statistics.unrecorded_openings += 1
        return Decision(seen=seen, opens=True, offline=True, moved=self._post.move(self._seconds()))

    def _alone(self, seen: Seen) -> Alone:
        post, book = self._post, self._upkeep.book
        return decide_alone(
            book,
            book.usable(seen) if book else {},
            direction=Direction.OUT if self.leads_out else Direction.IN,
            now=post.watch.server_now(),
            doubtful=post.watch.doubtful,
            open_to_all=self._held.is_open_to_all,
        )

    def _worth_keeping(self) -> bool:
        """Refusals fill the disk of whoever plays with a reader; openings are always written down."""
        if self._post.state.journal_length() < self._post.orders.most_refusals_kept:
            return True
        self._post.statistics.refusals_not_journalled += 1
        return False

    def _write_down(self, seen: Seen, alone: Alone, instead_of: int | None) -> int:
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
        self._upkeep.waits = True
        self._post.checkpoint(Step.JOURNALLED)
        return sequence

    def _open(self, decision: Decision, sequence: int) -> Decision:
        moved = self._post.move(self._seconds())
        self._post.checkpoint(Step.MOVED_ALONE)
        try:
            self._journal.write(OfflineOutcome(about=sequence, moved=moved))
        except (Unavailable, Tampered):
            # The decision itself is kept, and is closed as uncertain before the next one.
            self._post.statistics.faults += 1
        self._upkeep.waits = True
        self._post.checkpoint(Step.OUTCOME_JOURNALLED)
        return replace(decision, moved=moved)

    def _seconds(self) -> int:
        book = self._upkeep.book
        return book.policy.open_seconds if book else self._post.orders.open_seconds
