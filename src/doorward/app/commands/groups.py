"""`doorward group ...`: people and vehicles granted together."""

import typer

from doorward.app.commands.finding import everything, group_of, require_new, subject_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.people.service import (
    add_group,
    forget_group,
    groups_of,
    join_group,
    leave_group,
    list_groups,
    list_persons,
    list_vehicles,
)

commands = typer.Typer(no_args_is_help=True, help="Groups: people and vehicles granted together.")
GROUP = typer.Argument(help="The group's name or id.")
WHO = typer.Argument(help=f"Persons' names, plates or ids. {DASH}", callback=unseen)


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="Of an office, never of a person: such as staff or night-shift."),
) -> None:
    """Make a group; a grant to it counts for everybody in it.

    Example: doorward group add staff
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        made = add_group(unit, require_new("group", name, list_groups(unit)))
    said = f"Group {made.name} is there. Next: doorward group join {made.name} WHO..."
    context.voice.answer({"group": made.id, "name": made.name}, said)


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every group and how many are in it.

    Example: doorward group list
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        ids = [one.id for one in everything(lambda page: list_persons(unit, page), lambda one: one.id)]
        ids += [one.id for one in everything(lambda page: list_vehicles(unit, page), lambda one: one.id)]
        memberships = [groups_of(unit, one) for one in ids]
        rows = [
            {"name": group.name, "members": sum(group.id in held for held in memberships), "id": group.id}
            for group in list_groups(unit)
        ]
    none = "No group yet: make one with `doorward group add`."
    context.voice.table("Groups", ["name", "members", "id"], rows, none=none)


@commands.command()
def join(ctx: typer.Context, group: str = GROUP, who: list[str] = WHO) -> None:
    """Count people or vehicles among a group; all of them or, if one is unknown, none.

    Example: doorward group join staff "Ada Example" "Bo Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = group_of(unit, group)
        ids = [subject_of(house, unit, word) for word in who]
        for one in ids:
            join_group(unit, one, found.id)
    context.voice.answer({"group": found.id, "joined": ids}, f"{len(ids)} joined {found.name}.")


@commands.command()
def leave(ctx: typer.Context, group: str = GROUP, who: list[str] = WHO) -> None:
    """Count people or vehicles among a group no more.

    Example: doorward group leave staff "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = group_of(unit, group)
        ids = [subject_of(house, unit, word) for word in who]
        for one in ids:
            leave_group(unit, one, found.id)
    context.voice.answer({"group": found.id, "left": ids}, f"{len(ids)} left {found.name}.")


@commands.command()
def remove(ctx: typer.Context, group: str = GROUP) -> None:
    """Dissolve a group: what was granted to it opens for nobody any more; its people stay.

    Example: doorward group remove night-shift
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        found = group_of(unit, group)
        forget_group(unit, found.id)
    context.voice.answer({"removed": found.id}, f"Group {found.name} is dissolved.")
