"""From what a person types to what the house knows: a name, a plate or an id."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar

from doorward.app.commands.alone import note_looks
from doorward.app.house import House
from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.gates.model import EVERY_GATE, Agent, Gate, Level, Plan, Schedule, Verb, Zone
from doorward.people.model import Group
from doorward.people.service import find_by_name, find_by_plate, list_groups, standing_of, view_person
from doorward.platform.db import Unit
from doorward.platform.paging import MOST_PER_PAGE, PageRequest

EVERYWHERE = ("everywhere", EVERY_GATE)
OUTSIDE = ("outside", "none")
# What `release` takes for more than one gate or zone: a place of that name would be released by mistake.
RELEASED = ("everything", *Verb)


class Named(Protocol):
    """Anything with an id and a name."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)
Item = TypeVar("Item")


def pick(what: str, word: str, among: Iterable[N]) -> N:
    """The one of that id or name; `NotFound` names the nearest ones, or how to add it."""
    known = list(among)
    found = [one for one in known if one.id == word] or [one for one in known if one.name == word]
    if len(found) > 1:
        raise Conflict(f"More than one {what} is called {word}: use the id, as `doorward {what} list` shows.")
    if found:
        return found[0]
    near = get_close_matches(word, [one.name for one in known], n=2)
    hint = f"did you mean {' or '.join(near)}?" if near else f"add it with `doorward {what} add`."
    raise NotFound(f"There is no {what} {word}: {hint}")


def require_new(what: str, name: str, among: Iterable[Named]) -> str:
    """The name itself, unless another thing of the kind bears it or it could not be told from an id."""
    if not 1 <= len(name.strip()) <= 80 or name in (*EVERYWHERE, *OUTSIDE, *RELEASED):
        raise Invalid(f"This cannot be the name of a {what}: use 1 to 80 characters, but not a word of ours.")
    if any(name in (one.name, one.id) for one in among):
        raise Conflict(f"There is a {what} called {name} already: choose another name, or change that one.")
    return name


def plan_of(house: House, unit: Unit) -> Plan:
    """Everything configured at the site."""
    return house.post.plans.plan_of(unit)


def gate_of(house: House, unit: Unit, word: str) -> Gate:
    """The gate of that id or name."""
    return pick("gate", word, plan_of(house, unit).gates.values())


def zone_of(house: House, unit: Unit, word: str) -> Zone:
    """The zone of that id or name."""
    return pick("zone", word, plan_of(house, unit).zones.values())


def level_of(house: House, unit: Unit, word: str) -> Level:
    """The access level of that id or name."""
    return pick("level", word, plan_of(house, unit).levels.values())


def schedule_of(house: House, unit: Unit, word: str) -> Schedule:
    """The schedule of that id or name."""
    return pick("schedule", word, plan_of(house, unit).schedules.values())


def agent_of(house: House, unit: Unit, word: str) -> Agent:
    """The agent of that id or name."""
    return pick("agent", word, plan_of(house, unit).agents.values())


def group_of(unit: Unit, word: str) -> Group:
    """The group of that id or name."""
    return pick("group", word, list_groups(unit))


def changed_gates(
    house: House, unit: Unit, held: Sequence[str], adding: Iterable[str], dropping: Iterable[str]
) -> tuple[str, ...]:
    """The ids that are held, without those dropped and with those added, each once."""
    dropped = {gate_of(house, unit, word).id for word in dropping}
    kept = [one for one in held if one not in dropped]
    return tuple(dict.fromkeys([*kept, *(gate_of(house, unit, word).id for word in adding)]))


def target_of(house: House, unit: Unit, word: str) -> str:
    """The id that a grant names: a gate's, a level's, or every gate's."""
    if word in EVERYWHERE:
        return EVERY_GATE
    plan = plan_of(house, unit)
    both: list[Gate | Level] = [*plan.gates.values(), *plan.levels.values()]
    named = [one for one in both if word in (one.id, one.name)]
    return pick("gate", word, both).id if len(named) != 1 else named[0].id


def zone_id_of(house: House, unit: Unit, word: str) -> str | None:
    """The zone's id; None for `outside`."""
    return None if word in OUTSIDE else zone_of(house, unit, word).id


def holder_of(house: House, unit: Unit, word: str) -> str:
    """The id of the person (id or exact name), vehicle (plate) or group (name) that is meant."""
    groups = list_groups(unit)
    if standing_of(unit, word) is not None or word in {group.id for group in groups}:
        return word
    found = [group.id for group in groups if group.name == word]
    found += find_by_name(unit, house.vault, word) + _vehicles(house, unit, word)
    if len(found) > 1:
        raise Conflict("More than one bears this name: use the id, as `doorward person find` shows it.")
    if not found:
        raise NotFound("Nobody, no vehicle and no group is known by this: enrol or add them first.")
    return found[0]


def is_person(unit: Unit, word: str) -> bool:
    """Whether this is the id of a person of this site."""
    return word.startswith("person_") and standing_of(unit, word) is not None


def person_of(house: House, unit: Unit, word: str) -> str:
    """The id of the person that is meant."""
    found = holder_of(house, unit, word)
    if not found.startswith("person_"):
        raise NotFound("This is no person: give the name as enrolled, or the id.")
    return found


def vehicle_of(house: House, unit: Unit, word: str) -> str:
    """The id of the vehicle that is meant, by plate or id."""
    found = (
        [word] if word.startswith("vehicle_") and standing_of(unit, word) else _vehicles(house, unit, word)
    )
    if not found:
        raise NotFound("No vehicle is known by this plate or id: register it with `doorward vehicle add`.")
    return found[0]


def subject_of(house: House, unit: Unit, word: str) -> str:
    """The id of the person or vehicle that is meant; no group."""
    found = holder_of(house, unit, word)
    if found.startswith("group_"):
        raise NotFound("This is a group: name one person or vehicle.")
    return found


def names_of(house: House, unit: Unit, ids: Iterable[str], purpose: str) -> Mapping[str, str]:
    """Names of the persons among these, for a purpose; each is a look at that person and recorded."""
    persons = sorted({one for one in ids if is_person(unit, one)})
    note_looks(house, unit, persons)
    return {one: view_person(unit, house.vault, one, purpose=purpose).name for one in persons}


def everything(fetch: Callable[[PageRequest], Sequence[Item]], key: Callable[[Item], str]) -> Iterator[Item]:
    """Every item of a long list, page after page."""
    after: str | None = None
    while True:
        found = fetch(PageRequest(after, MOST_PER_PAGE))
        yield from found[:MOST_PER_PAGE]
        if len(found) <= MOST_PER_PAGE:
            return
        after = key(found[MOST_PER_PAGE - 1])


def _vehicles(house: House, unit: Unit, word: str) -> list[str]:
    try:
        found = find_by_plate(unit, house.vault, word)
    except Invalid:
        return []
    return [found] if found else []
