"""`doorward zone ...`: areas behind gates, how many may be inside, and who may come in again."""

from dataclasses import replace
from typing import Any

import typer

from doorward.app.commands.finding import group_of, plan_of, require_new, zone_of
from doorward.app.commands.moments import LENGTH_HELP, length_of, seconds_of
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.core.ids import new_id
from doorward.gates.model import Strictness, Zone
from doorward.gates.service import forget_piece, set_piece
from doorward.people.service import list_groups
from doorward.platform.db import Unit

commands = typer.Typer(no_args_is_help=True, help="Zones: areas behind gates, with capacity and passback.")
ZONE = typer.Argument(help="The zone's name or id.")
CAPACITY = typer.Option(None, help="How many may be inside; -1 takes the limit away.")
RULE = typer.Option(None, help="What a full zone does: hard refuses, soft raises an alarm.")
AREA = typer.Option(None, help="Whoever counts as inside cannot come in again: hard refuses, soft alarms.")
TIMED = typer.Option(None, help="Nobody comes in again within --again-after: hard refuses, soft alarms.")
AGAIN = typer.Option(None, help=f"For timed passback, {LENGTH_HELP}.")
TIMEOUT = typer.Option(None, help="After so long nobody counts as inside for passback; 0s for never.")
ALWAYS = typer.Option(
    None, help="A group that comes in even when the zone is full; may be repeated, none for no group."
)


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as office."),
    capacity: int = CAPACITY,
    capacity_rule: Strictness = RULE,
    passback: Strictness = AREA,
    timed: Strictness = TIMED,
    again_after: str = AGAIN,
    forget_after: str = TIMEOUT,
    always_admit: list[str] = ALWAYS,
) -> None:
    """Add a zone; then say which gates lead into it and out of it.

    Example: doorward zone add office --capacity 40 --passback soft

    Example: doorward zone add car-park --capacity 25 --timed hard --again-after 5m
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        require_new("zone", name, plan_of(house, unit).zones.values())
        given = _given(
            unit, capacity, capacity_rule, passback, timed, again_after, forget_after, always_admit
        )
        zone = replace(Zone(id=new_id("zone"), name=name), **given)
        set_piece(unit, house.post, zone)
    said = f"Zone {name} is there. Next: doorward gate change GATE --to {name}"
    context.voice.answer({"zone": zone.id, "name": name}, said)


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every zone of the site with its limits; `doorward inside` says who is there.

    Example: doorward zone list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zones = sorted(plan_of(house, unit).zones.values(), key=lambda one: one.name)
        rows = [_facts(house, unit, zone) for zone in zones]
    columns = ["name", "capacity", "capacity_rule", "passback", "timed", "gates_in", "gates_out", "id"]
    context.voice.table("Zones", columns, rows, none="No zone yet: add one with `doorward zone add`.")


@commands.command()
def show(ctx: typer.Context, zone: str = ZONE) -> None:
    """All that is set of one zone.

    Example: doorward zone show office
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = zone_of(house, unit, zone)
        facts = _facts(house, unit, found)
    context.voice.card(f"Zone {found.name}", facts)


@commands.command()
def change(
    ctx: typer.Context,
    zone: str = ZONE,
    name: str = typer.Option(None, help="A new name."),
    capacity: int = CAPACITY,
    capacity_rule: Strictness = RULE,
    passback: Strictness = AREA,
    timed: Strictness = TIMED,
    again_after: str = AGAIN,
    forget_after: str = TIMEOUT,
    always_admit: list[str] = ALWAYS,
) -> None:
    """Change what you name; everything else stays as it is.

    Example: doorward zone change office --capacity 60 --passback hard --forget-after 14h
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = zone_of(house, unit, zone)
        given = _given(
            unit, capacity, capacity_rule, passback, timed, again_after, forget_after, always_admit
        )
        if name is not None and name != found.name:
            given["name"] = require_new("zone", name, plan_of(house, unit).zones.values())
        changed = replace(found, **given)
        set_piece(unit, house.post, changed)
        facts = _facts(house, unit, changed)
    context.voice.card(f"Zone {changed.name}", facts)


@commands.command()
def remove(ctx: typer.Context, zone: str = ZONE) -> None:
    """Take a zone out of the plan; no gate may lead to it any more.

    Example: doorward zone remove old-yard
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = zone_of(house, unit, zone)
        forget_piece(unit, house.post, found.id)
    context.voice.answer({"removed": found.id}, f"Zone {found.name} is gone from the plan.")


def _given(
    unit: Unit,
    capacity: int | None,
    rule: Strictness | None,
    passback: Strictness | None,
    timed: Strictness | None,
    *rest: Any,
) -> dict[str, Any]:
    again_after, forget_after, always = rest
    given: dict[str, Any] = {
        "capacity_rule": rule,
        "area_passback": passback,
        "timed_passback": timed,
        "timed_passback_seconds": None if again_after is None else seconds_of(again_after),
    }
    changes = {key: value for key, value in given.items() if value is not None}
    if capacity is not None:
        changes["capacity"] = capacity if capacity >= 0 else None
    if always:
        named = () if always == ["none"] else tuple(group_of(unit, word).id for word in always)
        changes["capacity_bypass_group_ids"] = named
    if forget_after is not None:
        changes["presence_timeout_seconds"] = seconds_of(forget_after) or None
    return changes


def _facts(house: House, unit: Unit, zone: Zone) -> dict[str, Any]:
    gates = plan_of(house, unit).gates.values()
    groups = {group.id: group.name for group in list_groups(unit)}
    return {
        "id": zone.id,
        "name": zone.name,
        "capacity": zone.capacity,
        "capacity_rule": zone.capacity_rule if zone.capacity is not None else None,
        "passback": zone.area_passback,
        "timed": f"{zone.timed_passback} {length_of(zone.timed_passback_seconds)}".strip(),
        "forget_after": length_of(zone.presence_timeout_seconds) or "never",
        "always_admitted": [groups.get(one, one) for one in zone.capacity_bypass_group_ids],
        "gates_in": [gate.name for gate in gates if gate.to_zone_id == zone.id],
        "gates_out": [gate.name for gate in gates if gate.from_zone_id == zone.id],
    }
