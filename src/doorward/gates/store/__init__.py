"""Tables of the gates, and the only statements that touch them."""

from doorward.gates.store import attention, doors, guesses, lately, passages, places, rollcalls, whereabouts

__all__ = ["attention", "doors", "guesses", "lately", "passages", "places", "rollcalls", "whereabouts"]
