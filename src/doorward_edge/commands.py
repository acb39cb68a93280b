"""What staff order from afar: open now, and hold everything open in an evacuation."""

from doorward.core.errors import Conflict, DoorwardError, Unavailable
from doorward.core.wire import Mode, Permit, Signed, Wants, open_message
from doorward_edge.passage import Decision, Seen
from doorward_edge.permits import command_fault_of
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep


class Commands:
    """Fetches permits given by hand and uses each of them once."""

    def __init__(self, post: Post, upkeep: Upkeep) -> None:
        self._post = post
        self._upkeep = upkeep
        self._next_look = float("-inf")
        self._hold_until = float("-inf")

    def look(self) -> list[Decision]:
        """What was ordered since the last look; asks the server at most once in `command_seconds`."""
        self.hold_open()
        now = self._post.clock.monotonic()
        if now < self._next_look or not self._upkeep.reachable:
            return []
        self._next_look = now + self._post.orders.command_seconds
        try:
            given = self._post.link.commands(self._post.sign(self._upkeep.request(Wants.COMMANDS)))
        except Unavailable:
            self._upkeep.lost()
            return []
        return [decision for signed in given for decision in self._obey(signed)]

    def hold_open(self) -> None:
        """In an evacuation the barrier is opened again before it shuts, as long as the policy is in force."""
        post, book = self._post, self._upkeep.book
        now = post.clock.monotonic()
        if book is None or book.policy.mode is not Mode.EVACUATION or now < self._hold_until:
            return
        if not book.in_force(post.watch.server_now()):
            return
        self._hold_until = now + book.policy.open_seconds / 2
        try:
            post.barrier.open(book.policy.open_seconds)
        except Unavailable:
            post.statistics.not_moved += 1

    def _obey(self, signed: Signed) -> list[Decision]:
        post, orders = self._post, self._post.orders
        try:
            permit = open_message(post.server_key, Permit, signed)
        except DoorwardError:
            post.statistics.not_genuine += 1
            return []
        fault = command_fault_of(
            permit,
            agent_id=orders.agent_id,
            gate_id=orders.gate_id,
            now=post.watch.server_now(),
            last_commanded=post.state.number("last_commanded"),
        )
        return [] if fault else self._open(permit)

    def _open(self, permit: Permit) -> list[Decision]:
        post = self._post
        try:
            post.state.mark_used(permit.sequence, permit.permit_id, permit.gate_id, row="last_commanded")
        except Conflict:
            return []
        post.checkpoint(Step.MARKED)
        moved = self._moved(permit.open_seconds)
        post.checkpoint(Step.MOVED)
        post.state.settle(permit.sequence, moved=moved, at=post.watch.server_now())
        post.checkpoint(Step.SETTLED)
        post.statistics.opened_by_hand += moved
        self._upkeep.deliver()
        return [
            Decision(
                seen=Seen(),
                opens=True,
                because=permit.because,
                sequence=permit.sequence,
                permit_id=permit.permit_id,
                moved=moved,
            )
        ]

    def _moved(self, seconds: int) -> bool:
        try:
            self._post.barrier.open(seconds)
        except Unavailable:
            self._post.statistics.not_moved += 1
            return False
        return True
