"""The agent's account of what it did alone: chained, sealed to the server, replayed in order."""

from typing import Final

from doorward.core.errors import Conflict, Tampered, Unavailable
from doorward.core.wire import (
    JournalEntry,
    JournalFact,
    OfflineDecision,
    OfflineOutcome,
    Receipt,
    open_message,
    seal_fact,
)
from doorward_edge.ports import Step
from doorward_edge.post import Post

BATCH: Final = 100


class Journal:
    """One agent's journal; an entry is on disk when `write` returns."""

    def __init__(self, post: Post) -> None:
        self._post = post

    def write(self, fact: JournalFact) -> int:
        """Append one fact and give its sequence; `Unavailable` if it cannot be kept."""
        post, orders = self._post, self._post.orders
        journal_key = post.state.journal_key()
        if journal_key is None:
            raise Unavailable("The journal starts once the server has been reached for the first time.")
        sequence = post.state.next_sequence()
        entry = JournalEntry(
            agent_id=orders.agent_id,
            gate_id=orders.gate_id,
            sequence=sequence,
            previous=post.state.head(),
            at=post.watch.server_now(),
            clock_doubtful=post.watch.doubtful,
            sealed=seal_fact(journal_key, orders.agent_id, sequence, fact),
        )
        waits = isinstance(fact, OfflineDecision) and fact.opens
        post.state.append(sequence, post.sign(entry), undecided=sequence if waits else 0)
        return sequence

    def close_open_decision(self) -> None:
        """If the last decision has no outcome (the power failed), say so: it does not move any more."""
        about = self._post.state.number("undecided")
        if about:
            self.write(OfflineOutcome(about=about, moved=False, certain=False))

    def replay(self) -> int:
        """Hand over everything, oldest first, and forget what the server holds; how many entries went.

        `Unavailable` if the server is away; `Tampered` or `Conflict` if its receipt does not fit.
        """
        post, delivered = self._post, 0
        while batch := post.state.journal(most=BATCH):
            answer = post.link.replay([entry for _, entry in batch])
            receipt = open_message(post.server_key, Receipt, answer)
            post.checkpoint(Step.REPLAYED)
            self._check(receipt, first=batch[0][0])
            post.state.truncate(receipt.up_to)
            post.checkpoint(Step.TRUNCATED)
            delivered += sum(1 for sequence, _ in batch if sequence <= receipt.up_to)
        return delivered

    def _check(self, receipt: Receipt, *, first: int) -> None:
        if receipt.agent_id != self._post.orders.agent_id or receipt.up_to < first:
            raise Conflict("The server did not take the journal: see its log for the reason.")
        # The head proves that the server holds these very entries, not only that many.
        if self._post.state.link_at(receipt.up_to) != receipt.head:
            raise Tampered("The server's receipt names another journal than ours.")
