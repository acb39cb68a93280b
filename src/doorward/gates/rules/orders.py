"""Which standing orders reach a gate."""

from collections.abc import Iterable
from datetime import datetime

from doorward.gates.model import Gate, Order, Verb


def orders_at(gate: Gate, orders: Iterable[Order], now: datetime) -> frozenset[Verb]:
    """The verbs in force at a gate: its own, those of a zone it leads into or out of, and the site's."""
    return frozenset(order.verb for order in orders if order.holds_at(now) and reaches(order, gate))


def reaches(order: Order, gate: Gate) -> bool:
    """Whether an order is about a gate."""
    if order.gate_id is None and order.zone_id is None:
        return True
    zones = {gate.from_zone_id, gate.to_zone_id} - {None}
    return order.gate_id == gate.id or order.zone_id in zones
