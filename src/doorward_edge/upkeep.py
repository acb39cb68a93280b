"""Between passages: set the time right, fetch the policy, hand over what waits."""

from doorward.core.errors import Conflict, DoorwardError, Invalid, NotFound, Tampered, Unavailable
from doorward.core.wire import (
    Direction,
    Door,
    DoorState,
    Kind,
    OfflineDoor,
    OfflinePolicy,
    TimeReply,
    Wants,
)
from doorward_edge.alone import PolicyBook
from doorward_edge.held import Held
from doorward_edge.journal import Journal
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.state.disk import Unwritable


class Upkeep:
    """Keeps one agent and its server of one mind, as far as the link allows."""

    def __init__(self, post: Post, journal: Journal, held: Held) -> None:
        self._post = post
        self._journal = journal
        self._held = held
        self._away_until = float("-inf")
        self._next_round = float("-inf")
        self._next_try = float("-inf")
        self.waits = True  # something may lie here that the server does not hold yet
        self.book: PolicyBook | None = None

    @property
    def reachable(self) -> bool:
        """False for a while after a failure, so that nobody at the gate waits for a dead link."""
        return self._post.clock.monotonic() >= self._away_until

    @property
    def leads_out(self) -> bool:
        """Whether this gate is a way out; the signed policy outranks the local setting."""
        return (self.book.policy.direction if self.book else self._post.orders.direction) is Direction.OUT

    def lost(self) -> None:
        """The link has just failed; what was on its way may still lie here."""
        self.waits = True
        self._post.statistics.link_failures += 1
        self._away_until = self._post.clock.monotonic() + self._post.orders.retry_seconds

    def recover(self) -> None:
        """At start: permits and decisions whose end was never written did not move anything any more."""
        try:
            self._settle_the_rest()
            if self._post.state.chain.journal_key() is not None:
                self._journal.close_open_decision()
        except (Unavailable, Tampered):
            # A full disk keeps nobody from starting: the rest is settled once there is room.
            self._post.statistics.faults += 1

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
        if now >= self._next_round or (self._is_in_doubt() and now >= self._next_try):
            self.round()
        elif self.waits:
            self._hand_over()

    def _is_in_doubt(self) -> bool:
        return self._post.watch.doubtful or self._post.state.is_fresh

    def round(self) -> bool:
        """Time, policy, outcomes, some of the journal; False if the server is away."""
        now, orders = self._post.clock.monotonic(), self._post.orders
        self._next_round, self._next_try = now + orders.refresh_seconds, now + orders.retry_seconds
        try:
            self.set_time()
            self._renew_policy()
            self.deliver()
        except Unwritable:
            # The server is there: whoever stands here is asked for, and orders are heard.
            self._post.statistics.faults += 1
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
        except Unwritable:
            self._post.statistics.faults += 1
        except Unavailable:
            self.lost()
        except DoorwardError:
            # Said again at the next round, not at once: a server that refuses would be asked without end.
            self._post.statistics.refused_reports += 1
            self.waits = False

    def set_time(self) -> None:
        """Measure the clock against the server's, and hear from where to count."""
        post = self._post
        request = post.request(Wants.TIME)
        signed = post.sign(request)
        sent = post.clock.monotonic()
        answer = post.link.fetch(signed)
        received = post.clock.monotonic()
        reply = post.open(TimeReply, answer)
        if reply.nonce != request.nonce:
            raise Conflict("The server answered another question.")
        post.watch.measured(sent, received, reply)
        post.state.go_on_from(reply.next_sequence)

    def _renew_policy(self) -> None:
        try:
            self._fetch_policy()
        except Unavailable:
            # A long policy may be late while short questions are answered well: the old one still holds.
            self._post.statistics.link_failures += 1

    def _fetch_policy(self) -> None:
        """The nonce proves that a policy is new; its version is a name, whatever the server's clock did."""
        post, orders = self._post, self._post.orders
        request, asked = post.request(Wants.POLICY), post.clock.monotonic()
        policy = post.open(OfflinePolicy, post.link.fetch(post.sign(request)))
        if (policy.agent_id, policy.gate_id, policy.nonce) != (
            orders.agent_id,
            orders.gate_id,
            request.nonce,
        ):
            raise Conflict("The server sent another agent's policy.")
        self.book = PolicyBook(policy)
        self._held.told(policy.mode, asked=asked)
        post.state.chain.keep_journal_key(policy.journal_key)

    def deliver(self) -> None:
        """Outcomes, door states, then one batch of the journal: none of them waits behind another's fault."""
        fault: DoorwardError | None = None
        # Whoever has something new to tell meanwhile says so again.
        self.waits = False
        for deed in (self._settle_the_rest, self._tell_outcomes, self._tell_doors):
            try:
                deed()
            except DoorwardError as error:
                if isinstance(error, Unavailable) and not isinstance(error, Unwritable):
                    raise
                fault = error
        if self._journal.hand_over() or self._has_more():
            self.waits = True
        if fault is not None:
            raise fault

    def _has_more(self) -> bool:
        return bool(self._post.state.pending_outcomes() or self._post.state.pending_door_states())

    def _tell_outcomes(self) -> None:
        post = self._post
        for pending in post.state.pending_outcomes():
            try:
                post.link.report(Kind.OUTCOME, post.sign(pending.outcome))
            except (Conflict, Invalid, NotFound):
                # The server has its own end for this permit; saying it again would never help.
                post.statistics.refused_reports += 1
            post.state.forget_outcome(pending.sequence)
            post.checkpoint(Step.REPORTED)

    def _tell_doors(self) -> None:
        post = self._post
        for sequence, message in post.state.pending_door_states():
            try:
                post.link.report(Kind.DOOR_STATE, message)
            except (Conflict, Invalid, NotFound):
                post.statistics.refused_reports += 1
            post.state.forget_door_state(sequence)

    def report_door(self, change: Door) -> None:
        """Keep what a contact says: for the server now, or sealed in the journal while it is away."""
        post = self._post
        if not self.reachable:
            try:
                self._journal.write(OfflineDoor(state=change))
                self.waits = True
                return
            except Unavailable:
                pass  # no journal yet, or no room in it: perhaps among the states
        sequence = post.state.next_sequence()
        state = DoorState(
            agent_id=post.orders.agent_id,
            gate_id=post.orders.gate_id,
            sequence=sequence,
            state=change,
            at=post.watch.server_now(),
        )
        post.state.keep_door_state(sequence, post.sign(state))
        self.waits = True
