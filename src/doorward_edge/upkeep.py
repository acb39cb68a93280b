"""Between passages: set the time right, fetch the policy, hand over what waits."""

import secrets

from doorward.core.errors import Conflict, DoorwardError, Invalid, NotFound, Unavailable
from doorward.core.wire import (
    Door,
    DoorState,
    Kind,
    OfflineDoor,
    OfflinePolicy,
    Request,
    TimeReply,
    Wants,
    open_message,
)
from doorward_edge.alone import PolicyBook
from doorward_edge.journal import Journal
from doorward_edge.ports import Step
from doorward_edge.post import Post


class Upkeep:
    """Keeps one agent and its server of one mind, as far as the link allows."""

    def __init__(self, post: Post, journal: Journal) -> None:
        self._post = post
        self._journal = journal
        self._away_until = float("-inf")
        self._next_round = float("-inf")
        self._next_try = float("-inf")
        self.waits = True  # something may lie here that the server does not hold yet
        self.book: PolicyBook | None = None

    @property
    def reachable(self) -> bool:
        """False for a while after a failure, so that nobody at the gate waits for a dead link."""
        return self._post.clock.monotonic() >= self._away_until

    def lost(self) -> None:
        """The link has just failed."""
        self._post.statistics.link_failures += 1
        self._away_until = self._post.clock.monotonic() + self._post.orders.retry_seconds

    def recover(self) -> None:
        """At start: permits and decisions whose end was never written did not move anything any more."""
        post = self._post
        self._settle_the_rest()
        if post.state.journal_key() is not None:
            self._journal.close_open_decision()

    def _settle_the_rest(self) -> None:
        state = self._post.state
        for sequence in state.unsettled():
            state.settle(sequence, moved=False, at=self._post.watch.server_now(), certain=False)

    def look_after(self) -> None:
        """Call often: does what is due, and nothing while the link rests."""
        post = self._post
        post.watch.look()
        post.statistics.clock_jumps = post.watch.jumps
        now = post.clock.monotonic()
        if not self.reachable:
            return
        if now >= self._next_round or (post.watch.doubtful and now >= self._next_try):
            self.round()
        elif self.waits:
            self._hand_over()

    def round(self) -> bool:
        """Time, policy, journal, outcomes; False if the server is away."""
        now, orders = self._post.clock.monotonic(), self._post.orders
        self._next_round, self._next_try = now + orders.refresh_seconds, now + orders.retry_seconds
        try:
            self._set_time()
            self._renew_policy()
            self.deliver()
        except Unavailable:
            self.lost()
            return False
        except DoorwardError:
            # A server that refuses or answers falsely leaves the old policy to run out.
            self._post.statistics.refused_reports += 1
        return True

    def _hand_over(self) -> None:
        try:
            self.deliver()
        except Unavailable:
            self.lost()
        except DoorwardError:
            # Said again at the next round, not at once: a server that refuses would be asked without end.
            self._post.statistics.refused_reports += 1
            self.waits = False

    def request(self, wants: Wants) -> Request:
        """A question of this agent's, with a nonce of its own."""
        orders = self._post.orders
        return Request(
            agent_id=orders.agent_id,
            gate_id=orders.gate_id,
            wants=wants,
            nonce=secrets.token_bytes(16),
            sent_at=self._post.clock.wall(),
        )

    def _set_time(self) -> None:
        post = self._post
        request = self.request(Wants.TIME)
        signed = post.sign(request)
        sent = post.clock.monotonic()
        answer = post.link.fetch(signed)
        received = post.clock.monotonic()
        reply = open_message(post.server_key, TimeReply, answer)
        if reply.nonce != request.nonce:
            raise Conflict("The server answered another question.")
        post.watch.measured(sent, received, reply)

    def _renew_policy(self) -> None:
        try:
            self._fetch_policy()
        except Unavailable:
            # A long policy may be late while short questions are answered well: the old one still holds.
            self._post.statistics.link_failures += 1

    def _fetch_policy(self) -> None:
        post, orders = self._post, self._post.orders
        request = self.request(Wants.POLICY)
        policy = open_message(post.server_key, OfflinePolicy, post.link.fetch(post.sign(request)))
        if (policy.agent_id, policy.gate_id, policy.nonce) != (
            orders.agent_id,
            orders.gate_id,
            request.nonce,
        ):
            raise Conflict("The server sent another agent's policy.")
        if policy.version < post.state.number("policy_version"):
            raise Conflict("The server sent an older policy than before.")
        if policy.version > post.state.number("policy_version"):
            post.state.keep_number("policy_version", policy.version)
        post.state.keep_journal_key(policy.journal_key)
        self.book = PolicyBook(policy)

    def deliver(self) -> None:
        """Journal first, then outcomes, so that the server reads them in the order they happened."""
        self._settle_the_rest()
        self._journal.replay()
        post = self._post
        for pending in post.state.pending_outcomes():
            try:
                post.link.report(Kind.OUTCOME, post.sign(pending.outcome))
            except (Conflict, Invalid, NotFound):
                # The server has its own end for this permit; saying it again would never help.
                post.statistics.refused_reports += 1
            post.state.forget_outcome(pending.sequence)
            post.checkpoint(Step.REPORTED)
        self.waits = False

    def report_door(self, change: Door) -> None:
        """Tell the server what the door's contacts say, or write it down for later."""
        post = self._post
        state = DoorState(
            agent_id=post.orders.agent_id,
            gate_id=post.orders.gate_id,
            sequence=post.state.next_sequence(),
            state=change,
            at=post.watch.server_now(),
        )
        if self.reachable:
            try:
                self._journal.replay()
                post.link.report(Kind.DOOR_STATE, post.sign(state))
                return
            except Unavailable:
                self.lost()
        self._journal.write(OfflineDoor(state=change))
