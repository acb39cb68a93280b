"""The agent's account of what it did alone: chained, sealed to the server, replayed in order."""

import threading
from dataclasses import dataclass
from typing import Final

from doorward.core.errors import Conflict, DoorwardError, Tampered, Unavailable
from doorward.core.wire import (
    ChainRestart,
    JournalEntry,
    JournalFact,
    OfflineDecision,
    OfflineOutcome,
    Receipt,
    Signed,
    key_id_of,
    link_of,
    open_message,
    seal_fact,
)
from doorward_edge.ports import Step
from doorward_edge.post import Post

BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class _Batch:
    """The oldest entries that can be handed over together."""

    sequences: tuple[int, ...]
    entries: tuple[Signed, ...]
    first: JournalEntry


class Journal:
    """One agent's journal; an entry is on disk when `write` returns. For several threads."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._writing = threading.RLock()
        self._own_key = post.key.public_key()

    def write(self, fact: JournalFact) -> int:
        """Append one fact and give its sequence; `Unavailable` if it cannot be kept."""
        post, orders, chain = self._post, self._post.orders, self._post.state.chain
        journal_key = chain.journal_key()
        if journal_key is None:
            raise Unavailable("The journal starts once the server has been reached for the first time.")
        with self._writing:
            sequence = post.state.next_sequence()
            entry = JournalEntry(
                agent_id=orders.agent_id,
                gate_id=orders.gate_id,
                sequence=sequence,
                previous=chain.head(),
                at=post.watch.server_now(),
                clock_doubtful=post.watch.doubtful,
                key_id=key_id_of(journal_key),
                sealed=seal_fact(journal_key, orders.agent_id, sequence, fact),
            )
            chain.append(sequence, post.sign(entry), undecided=_undecided(fact, sequence))
        return sequence

    def close_open_decision(self) -> None:
        """If the last decision has no outcome (the power failed), say so: it does not move any more."""
        about = self._post.state.number("undecided")
        if about:
            self.write(OfflineOutcome(about=about, moved=False, certain=False))

    def hand_over(self) -> bool:
        """One batch, oldest first; forgets what the server holds. Whether more waits.

        An entry that the server cannot take, or that has rotted here, is set aside: those behind it go on.
        `Unavailable` if the server is away; `Tampered` or `Conflict` if its receipt does not fit.
        """
        batch = self._next_batch()
        if batch is None:
            return False
        receipt = self._sent(batch, None)
        if receipt.up_to < batch.sequences[0] and receipt.head != batch.first.previous:
            # What lay between is lost to one of us: say so under our own name, and go on from here.
            receipt = self._sent(batch, self._restart(batch.first, receipt.head))
        self._settle(batch, receipt)
        return self._post.state.journal_length() > 0

    def _next_batch(self) -> _Batch | None:
        chain = self._post.state.chain
        while found := chain.oldest(most=BATCH):
            sound = [one for one in found if self._is_sound(one[1])]
            if sound[: len(found)] == found:
                return self._batch(found)
            until = next(i for i, one in enumerate(found) if not self._is_sound(one[1]))
            if until:
                return self._batch(found[:until])
            self._set_aside(found[0][0], "rotten")
        return None

    def _is_sound(self, entry: Signed) -> bool:
        try:
            open_message(self._own_key, JournalEntry, entry)
        except DoorwardError:
            return False
        return True

    def _batch(self, found: list[tuple[int, Signed]]) -> _Batch:
        first = open_message(self._own_key, JournalEntry, found[0][1])
        return _Batch(tuple(n for n, _ in found), tuple(entry for _, entry in found), first)

    def _restart(self, first: JournalEntry, held: bytes) -> Signed:
        restart = ChainRestart(
            agent_id=first.agent_id,
            gate_id=first.gate_id,
            sequence=first.sequence,
            previous=first.previous,
            held=held,
        )
        return self._post.sign(restart)

    def _sent(self, batch: _Batch, restart: Signed | None) -> Receipt:
        post = self._post
        receipt = post.open(Receipt, post.link.replay(batch.entries, restart))
        post.checkpoint(Step.REPLAYED)
        if receipt.agent_id != post.orders.agent_id:
            raise Conflict("The server's receipt is for another agent.")
        return receipt

    def _settle(self, batch: _Batch, receipt: Receipt) -> None:
        chain = self._post.state.chain
        for one in receipt.refused:
            if one.sequence in batch.sequences:
                self._set_aside(one.sequence, one.because)
        held = [sequence for sequence in batch.sequences if sequence <= receipt.up_to]
        if not held:
            raise Conflict("The server did not take the journal: see its log for the reason.")
        # The head proves that the server holds these very entries, not only that many.
        if held[-1] == receipt.up_to and not self._is_ours(batch, receipt):
            raise Tampered("The server's receipt names another journal than ours.")
        if held[-1] < receipt.up_to and chain.link_at(receipt.up_to) != receipt.head:
            self._passed_over(held)
        chain.truncate(min(receipt.up_to, batch.sequences[-1]))
        self._post.checkpoint(Step.TRUNCATED)

    def _is_ours(self, batch: _Batch, receipt: Receipt) -> bool:
        last = batch.entries[batch.sequences.index(receipt.up_to)]
        return link_of(last.body) == receipt.head

    def _passed_over(self, held: list[int]) -> None:
        """The server is further than these numbers and never had them: kept here, as it will not ask."""
        for sequence in held:
            self._set_aside(sequence, "passed-over")

    def _set_aside(self, sequence: int, because: str) -> None:
        self._post.state.chain.set_aside(sequence, because)
        self._post.statistics.entries_set_aside += 1


def _undecided(fact: JournalFact, sequence: int) -> int | None:
    """What the disk must remember of this fact: an opening that waits for its outcome, or that it came."""
    match fact:
        case OfflineDecision():
            return sequence if fact.opens else 0
        case OfflineOutcome():
            return 0
        case _:
            return None
