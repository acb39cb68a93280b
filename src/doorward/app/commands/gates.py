"""`doorward gate ...`: the ways in and out, and what each asks for."""

from dataclasses import replace
from typing import Any

import typer

from doorward.app.commands.alone import note_search
from doorward.app.commands.finding import gate_of, plan_of, require_new, zone_id_of
from doorward.app.commands.moments import LENGTH_HELP, length_of, seconds_of
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.core.ids import new_id
from doorward.gates.model import VEHICLE_RULE, Direction, Gate, Identification, Plan, Strictness
from doorward.gates.rules.factors import parse_factors, write_factors
from doorward.gates.service import forget_piece, set_piece
from doorward.platform.db import Unit

commands = typer.Typer(no_args_is_help=True, help="Gates: doors for people and lanes for vehicles.")
GATE = typer.Argument(help="The gate's name or id.")
FACTORS = "What it asks for: + for and, | for or; of face, card, qr, pin, plate."
LEADS_FROM = "The zone it leads out of; outside for none."
LEADS_TO = "The zone it leads into; outside for none."
ONE_IN = "The promise: at most one wrong opening in so many strangers' attempts."
FRAMES = "How many frames must agree; 1 lets a single photo count."
CONTACT = "Whether anything tells that the door is closed; an interlock asks for it."


@commands.command("add")
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as front."),
    factors: str = typer.Option("card + face | qr + face | card + pin | qr + pin", help=FACTORS),
    lane: bool = typer.Option(False, "--lane", help="A lane for vehicles: asks for the plate."),
    out: bool = typer.Option(False, "--exit", help="A way out: it is never refused to people."),
    leads_from: str = typer.Option(None, "--from", help=LEADS_FROM),
    leads_to: str = typer.Option(None, "--to", help=LEADS_TO),
    one_to_many: bool = typer.Option(
        False, "--one-to-many", help="Look a face up among everybody instead of verifying a card or code."
    ),
    one_in: int = typer.Option(None, help=ONE_IN),
    frames: int = typer.Option(3, help=FRAMES),
    contact: bool = typer.Option(True, "--contact/--no-contact", help=CONTACT),
) -> None:
    """Add a gate. By default it asks for a card or code and then the face or PIN of whoever holds it.

    Example: doorward gate add front --factors "card + face" --to office

    Example: doorward gate add north --lane
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        gate = Gate(
            id=new_id("gate"),
            name=require_new("gate", name, plan_of(house, unit).gates.values()),
            direction=Direction.OUT if out else Direction.IN,
            factors=VEHICLE_RULE if lane else parse_factors(factors),
            identification=Identification.ONE_TO_MANY if one_to_many else None,
            one_in=one_in,
            least_frames=frames,
            has_contact=contact,
            **_zones(house, unit, leads_from=leads_from, leads_to=leads_to),
        )
        note_search(house, unit, gate)
        set_piece(unit, house.post, gate)
    asks = write_factors(gate.factors)
    said = f"Gate {name} asks for: {asks}. Say who may pass: doorward grant WHO {name}"
    context.voice.answer({"gate": gate.id, "name": name, "factors": asks}, said)


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every gate of the site.

    Example: doorward gate list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
    rows = [_facts(plan, gate) for gate in sorted(plan.gates.values(), key=lambda one: one.name)]
    columns = ["name", "direction", "from", "to", "id", "asks_for"]
    context.voice.table("Gates", columns, rows, none="No gate yet: add one with `doorward gate add`.")


@commands.command("show")
def show(ctx: typer.Context, gate: str = GATE) -> None:
    """All that is set at one gate.

    Example: doorward gate show front
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
        found = gate_of(house, unit, gate)
    context.voice.card(f"Gate {found.name}", _facts(plan, found) | _details(plan, found))


@commands.command("change")
def change(
    ctx: typer.Context,
    gate: str = GATE,
    name: str = typer.Option(None, help="A new name."),
    factors: str = typer.Option(None, help=FACTORS),
    leads_from: str = typer.Option(None, "--from", help=LEADS_FROM),
    leads_to: str = typer.Option(None, "--to", help=LEADS_TO),
    direction: Direction = typer.Option(None, help="Which way it leads; out is never refused to people."),
    identification: Identification = typer.Option(
        None, case_sensitive=False, help="1:1 verifies a card or code by the face, 1:n looks a face up."
    ),
    as_site: bool = typer.Option(
        False, "--as-site", help="Identify and promise as the site does: forget this gate's own."
    ),
    one_in: int = typer.Option(None, help=ONE_IN),
    frames: int = typer.Option(None, help=FRAMES),
    characters: float = typer.Option(None, help="Least certainty of a plate's weakest character, 0 to 1."),
    open_for: str = typer.Option(None, help=f"How long it opens, {LENGTH_HELP}."),
    held_after: str = typer.Option(None, help="Alarm when the door stands open for longer than this."),
    door: str = typer.Option(None, help="The door that this gate and its way back share."),
    passback: Strictness = typer.Option(None, help="Timed anti-passback at this door."),
    passback_for: str = typer.Option(None, help=f"How long that holds, {LENGTH_HELP}."),
    contact: bool = typer.Option(None, "--contact/--no-contact", help=CONTACT),
    interlock: str = typer.Option(None, help="Of all doors with this word one may be open; none for free."),
    second_person_within: str = typer.Option(
        None, help="Two people must ask within this time, such as 15s; 0s for one alone."
    ),
    offline_single: bool = typer.Option(
        None, "--offline-single/--no-offline-single", help="Without a server a card or plate alone opens."
    ),
    enabled: bool = typer.Option(None, "--enable/--disable", help="Switch the gate on or off."),
) -> None:
    """Change what you name; everything else stays as it is.

    Example: doorward gate change front --open-for 8s --one-in 50000

    Example: doorward gate change vault --second-person-within 15s
    """
    context = context_of(ctx)
    given: dict[str, Any] = {
        "name": name,
        "factors": None if factors is None else parse_factors(factors),
        "direction": direction,
        "least_frames": frames,
        "least_character_confidence": characters,
        "open_seconds": None if open_for is None else seconds_of(open_for),
        "held_after_seconds": None if held_after is None else seconds_of(held_after),
        "door_id": door,
        "door_passback": passback,
        "door_passback_seconds": None if passback_for is None else seconds_of(passback_for),
        "has_contact": contact,
        "offline_single_factor": offline_single,
        "enabled": enabled,
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if second_person_within is not None:
        changes["two_person_seconds"] = seconds_of(second_person_within) or None
    if interlock is not None:
        changes["interlock_id"] = None if interlock == "none" else interlock
    changes |= _own_promise(identification, one_in, as_site=as_site)
    with context.site() as (house, unit):
        changes |= _zones(house, unit, leads_from=leads_from, leads_to=leads_to)
        found = gate_of(house, unit, gate)
        if name is not None and name != found.name:
            require_new("gate", name, plan_of(house, unit).gates.values())
        changed = replace(found, **changes)
        note_search(house, unit, changed)
        set_piece(unit, house.post, changed)
        plan = plan_of(house, unit)
    context.voice.card(f"Gate {changed.name}", _facts(plan, changed) | _details(plan, changed))


@commands.command("remove")
def remove(ctx: typer.Context, gate: str = GATE) -> None:
    """Take a gate out of the plan, its grants with it; passages that were stay in the log.

    Example: doorward gate remove old-door
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = gate_of(house, unit, gate)
        forget_piece(unit, house.post, found.id)
    context.voice.answer({"removed": found.id}, f"Gate {found.name} is gone from the plan.")


def _zones(house: House, unit: Unit, **words: str | None) -> dict[str, Any]:
    keys = {"leads_from": "from_zone_id", "leads_to": "to_zone_id"}
    return {keys[side]: zone_id_of(house, unit, word) for side, word in words.items() if word is not None}


def _own_promise(
    identification: Identification | None, one_in: int | None, *, as_site: bool
) -> dict[str, Any]:
    own: dict[str, Any] = {"identification": None, "one_in": None} if as_site else {}
    if identification is not None:
        own["identification"] = identification
    if one_in is not None:
        own["one_in"] = one_in
    return own


def _facts(plan: Plan, gate: Gate) -> dict[str, Any]:
    return {
        "id": gate.id,
        "name": gate.name,
        "direction": gate.direction,
        "asks_for": write_factors(gate.factors),
        "from": _zone_name(plan, gate.from_zone_id),
        "to": _zone_name(plan, gate.to_zone_id),
        "enabled": gate.enabled,
    }


def _details(plan: Plan, gate: Gate) -> dict[str, Any]:
    rules = plan.rules
    kind = gate.identification or rules.identification
    promise = rules.one_in_verifying if kind is Identification.ONE_TO_ONE else rules.one_in_identifying
    return {
        "identification": kind,
        "one_wrong_opening_in": gate.one_in or promise,
        "frames": gate.least_frames,
        "least_character_certainty": gate.least_character_confidence,
        "opens_for": length_of(gate.open_seconds),
        "held_after": length_of(gate.held_after_seconds),
        "door": gate.leaf,
        "passback": f"{gate.door_passback} {length_of(gate.door_passback_seconds)}".strip(),
        "contact": gate.has_contact,
        "interlock": gate.interlock_id or "none",
        "second_person_within": length_of(gate.two_person_seconds) or "not needed",
        "offline_single_factor": gate.offline_single_factor,
        "levels": [one.name for one in plan.levels.values() if gate.id in one.gate_ids],
        "agents": [one.id for one in plan.agents.values() if gate.id in one.gate_ids and not one.revoked],
    }


def _zone_name(plan: Plan, zone_id: str | None) -> str:
    return plan.zones[zone_id].name if zone_id and zone_id in plan.zones else "outside"
