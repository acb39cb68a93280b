"""Which standing orders reach a gate."""

from collections.abc import Iterable

from doorward.gates.model import Gate, Order, Verb


def orders_at(gate: Gate, orders: Iterable[Order]) -> frozenset[Verb]:
    """The verbs in force at a gate: its own, those of a zone it leads into or out of, and the site's."""
    zones = {gate.from_zone_id, gate.to_zone_id} - {None}
    return frozenset(
        order.verb
        for order in orders
        if order.gate_id == gate.id
        or (order.zone_id is not None and order.zone_id in zones)
        or (order.gate_id is None and order.zone_id is None)
    )
