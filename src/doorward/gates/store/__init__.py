"""Tables of the gates, and the only statements that touch them."""

from doorward.gates.store import attention, doors, passages, places, rollcalls, whereabouts

__all__ = ["attention", "doors", "passages", "places", "rollcalls", "whereabouts"]
