"""Everything configured at a site, as it stood at one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from doorward.core.errors import NotFound
from doorward.gates.model.moment import Hours
from doorward.gates.model.order import Order
from doorward.gates.model.place import EVERY_GATE, Agent, Gate, Level, SiteRules, Zone
from doorward.gates.model.schedule import Schedule

Piece = Gate | Zone | Level | Schedule | Agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Gates, zones, levels, schedules, agents and orders of a site; changed only as a whole."""

    version: int
    rules: SiteRules = field(default_factory=SiteRules)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    orders: tuple[Order, ...] = ()
    hours: Hours = field(default_factory=Hours)
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def gate(self, gate_id: str) -> Gate:
        """The gate of that id; `NotFound` if the site has none."""
        found = self.gates.get(gate_id)
        if found is None:
            raise NotFound("There is no such gate at this site.")
        return found

    def gates_into(self, zone_id: str | None) -> tuple[str, ...]:
        """Ids of the gates that lead into a zone."""
        return tuple(gate.id for gate in self.gates.values() if gate.to_zone_id == zone_id)

    def gates_of(self, door_id: str) -> tuple[Gate, ...]:
        """The gates that share a door."""
        return tuple(gate for gate in self.gates.values() if gate.leaf == door_id)

    def peers_of(self, gate: Gate) -> tuple[str, ...]:
        """Ids of the other doors of the gate's interlock."""
        if gate.interlock_id is None:
            return ()
        others = {g.leaf for g in self.gates.values() if g.interlock_id == gate.interlock_id}
        return tuple(sorted(others - {gate.leaf}))


def targets_of(gates: Mapping[str, Gate], levels: Mapping[str, Level]) -> dict[str, frozenset[str]]:
    """For each gate the ids by which a grant can mean it."""
    return {
        gate_id: frozenset(
            {gate_id, EVERY_GATE} | {lv.id for lv in levels.values() if gate_id in lv.gate_ids}
        )
        for gate_id in gates
    }
