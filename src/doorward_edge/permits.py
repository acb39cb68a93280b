"""Whether an answer from the server may move the barrier."""

from doorward.core.wire import Permit, Sighting
from doorward_edge.alone import Because

LONGEST_SECONDS = 30
# The server numbers permits given by hand far beyond what an agent counts to.
FIRST_COMMAND = 2**40


def fault_of(permit: Permit, sighting: Sighting, *, waited: float, last_used: int) -> Because | None:
    """Why a permit whose signature holds is not for here and now; None if it is.

    `waited` is counted by the monotonic clock from the moment of asking: neither wall clock matters.
    """
    ours = (sighting.agent_id, sighting.gate_id, sighting.sequence)
    if (permit.agent_id, permit.gate_id, permit.sequence) != ours:
        return Because.NOT_OURS
    if permit.sequence <= last_used:
        return Because.USED
    if not 0 <= waited < min(permit.valid_seconds, LONGEST_SECONDS):
        return Because.LATE
    return None


def command_fault_of(permit: Permit, *, agent_id: str, gate_id: str, waited: float) -> Because | None:
    """Why a permit given by hand is not for here and now; it came in an answer whose nonce proves it new."""
    if (permit.agent_id, permit.gate_id) != (agent_id, gate_id) or permit.sequence < FIRST_COMMAND:
        return Because.NOT_OURS
    if not permit.opens:
        return Because.USED
    if not 0 <= waited < min(permit.valid_seconds, LONGEST_SECONDS):
        return Because.LATE
    return None
