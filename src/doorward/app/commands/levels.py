"""`doorward level ...`: gates granted together."""

from dataclasses import replace

import typer

from doorward.app.commands.finding import changed_gates, gate_of, level_of, plan_of, require_new
from doorward.app.context import context_of
from doorward.core.errors import Invalid
from doorward.core.ids import new_id
from doorward.gates.model import Level
from doorward.gates.service import forget_piece, set_piece

commands = typer.Typer(no_args_is_help=True, help="Access levels: gates granted together.")
LEVEL = typer.Argument(help="The level's name or id.")


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as ground-floor."),
    gates: list[str] = typer.Argument(help="The gates that belong to it."),
) -> None:
    """Put gates together, so that one grant opens them all.

    Example: doorward level add ground-floor front back canteen
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        require_new("level", name, plan_of(house, unit).levels.values())
        ids = tuple(gate_of(house, unit, gate).id for gate in gates)
        level = Level(id=new_id("level"), name=name, gate_ids=ids)
        set_piece(unit, house.post, level)
    context.voice.answer({"level": level.id, "name": name}, f"Level {name} holds {len(ids)} gates.")


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every access level of the site and its gates.

    Example: doorward level list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
    rows = [
        {"name": one.name, "id": one.id, "gates": [plan.gates[g].name for g in one.gate_ids]}
        for one in sorted(plan.levels.values(), key=lambda level: level.name)
    ]
    none = "No level yet: add one with `doorward level add`."
    context.voice.table("Access levels", ["name", "id", "gates"], rows, none=none)


@commands.command()
def change(
    ctx: typer.Context,
    level: str = LEVEL,
    name: str = typer.Option(None, help="A new name."),
    add_gate: list[str] = typer.Option(None, "--add", help="A gate to put in; may be repeated."),
    drop_gate: list[str] = typer.Option(None, "--drop", help="A gate to take out; may be repeated."),
) -> None:
    """Put gates into a level or take them out; its grants follow at once.

    Example: doorward level change ground-floor --add garage --drop back
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = level_of(house, unit, level)
        if name is not None and name != found.name:
            require_new("level", name, plan_of(house, unit).levels.values())
        ids = changed_gates(house, unit, found.gate_ids, add_gate or (), drop_gate or ())
        if not ids:
            raise Invalid("A level needs a gate: remove the level instead.")
        changed = replace(found, name=name or found.name, gate_ids=ids)
        set_piece(unit, house.post, changed)
    facts = {"level": found.id, "name": changed.name, "gates": list(ids)}
    context.voice.answer(facts, f"Level {changed.name} holds {len(ids)} gates.")


@commands.command()
def remove(ctx: typer.Context, level: str = LEVEL) -> None:
    """Take a level out of the plan; what was granted by it ends.

    Example: doorward level remove ground-floor
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = level_of(house, unit, level)
        forget_piece(unit, house.post, found.id)
    context.voice.answer({"removed": found.id}, f"Level {found.name} is gone; its grants open nothing more.")
