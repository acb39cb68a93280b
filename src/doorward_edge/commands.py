"""What staff order from afar: the mode of the gate, and permits given by hand."""

from doorward.core.errors import Conflict, DoorwardError, Tampered, Unavailable
from doorward.core.wire import Permit, Standing, Wants
from doorward_edge.held import Held
from doorward_edge.passage import Decision, Seen
from doorward_edge.permits import command_fault_of
from doorward_edge.ports import Step
from doorward_edge.post import Post
from doorward_edge.upkeep import Upkeep


class Commands:
    """Asks what is ordered, and uses each permit given by hand once."""

    def __init__(self, post: Post, upkeep: Upkeep, held: Held) -> None:
        self._post = post
        self._upkeep = upkeep
        self._held = held
        self._next_look = float("-inf")

    def look(self) -> list[Decision]:
        """What was ordered since the last look; asks the server at most once in `command_seconds`."""
        now = self._post.clock.monotonic()
        if now < self._next_look or not self._upkeep.reachable:
            return []
        self._next_look = now + self._post.orders.command_seconds
        try:
            standing = self._standing()
        except Unavailable:
            self._upkeep.lost()
            return []
        except DoorwardError:
            self._post.statistics.not_genuine += 1
            return []
        self._held.told(standing.mode, asked=now, lease_seconds=standing.lease_seconds)
        self._held.keep()
        return [decision for permit in standing.permits for decision in self._obey(permit, now)]

    def _standing(self) -> Standing:
        post, orders = self._post, self._post.orders
        request = post.request(Wants.COMMANDS)
        standing = post.open(Standing, post.link.standing(post.sign(request)))
        ours = (orders.agent_id, orders.gate_id, request.nonce)
        if (standing.agent_id, standing.gate_id, standing.nonce) != ours:
            raise Conflict("The server answered another question.")
        return standing

    def _obey(self, permit: Permit, asked: float) -> list[Decision]:
        post, orders = self._post, self._post.orders
        waited = post.clock.monotonic() - asked
        if command_fault_of(permit, agent_id=orders.agent_id, gate_id=orders.gate_id, waited=waited):
            post.statistics.not_genuine += 1
            return []
        try:
            post.state.mark_obeyed(permit.sequence, permit.permit_id, permit.gate_id)
        except Conflict:
            return []
        except (Unavailable, Tampered):
            # What cannot be written down does not happen, except that nobody is locked in.
            if not self._upkeep.leads_out:
                raise
            post.statistics.unrecorded_openings += 1
        post.checkpoint(Step.MARKED)
        moved = post.move(permit.open_seconds)
        post.checkpoint(Step.MOVED)
        try:
            post.state.settle(permit.sequence, moved=moved, at=post.watch.server_now())
        except (Unavailable, Tampered):
            post.statistics.faults += 1
        self._upkeep.waits = True
        post.checkpoint(Step.SETTLED)
        post.statistics.opened_by_hand += moved
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
