"""From what a person types to what the house knows: a name, a plate or an id."""

from doorward.app.house import House
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.gates.model import Gate
from doorward.people.service import find_by_name, find_by_plate, list_groups, standing_of
from doorward.platform.db import Unit


def gate_of(house: House, unit: Unit, word: str) -> Gate:
    """The gate of that id or name."""
    gates = house.post.plans.plan_of(unit).gates
    found = [gate for gate in gates.values() if word in (gate.id, gate.name)]
    if not found:
        raise NotFound(f"There is no gate {word}: add it with `doorward gate add {word}`.")
    return found[0]


def holder_of(house: House, unit: Unit, word: str) -> str:
    """The id of the person (id or exact name), vehicle (plate) or group (name) that is meant."""
    if standing_of(unit, word) is not None:
        return word
    groups = [group.id for group in list_groups(unit) if group.name == word]
    named = find_by_name(unit, house.vault, word)
    found = groups + named + _vehicles(house, unit, word)
    if len(found) > 1:
        raise Conflict("More than one bears this name: use the id, as `doorward person find` shows it.")
    if not found:
        raise NotFound("Nobody and no vehicle is known by this: enrol or add them first.")
    return found[0]


def person_of(house: House, unit: Unit, word: str) -> str:
    """The id of the person that is meant."""
    found = holder_of(house, unit, word)
    if not found.startswith("person_"):
        raise NotFound("This is no person: give the name as enrolled, or the id.")
    return found


def _vehicles(house: House, unit: Unit, word: str) -> list[str]:
    try:
        found = find_by_plate(unit, house.vault, word)
    except Invalid:
        return []
    return [found] if found else []
