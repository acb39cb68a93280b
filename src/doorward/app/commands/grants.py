"""`doorward grant`, `grants`, `revoke`: who may pass where, and when."""

import typer

from doorward.app.commands.finding import everything, holder_of, plan_of, schedule_of, target_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.gates.model import EVERY_GATE, Effect, Grant
from doorward.gates.service import grant as make_grant
from doorward.gates.service import grants_of, list_grants, revoke_grant
from doorward.people.service import groups_of, list_groups


def grant(
    ctx: typer.Context,
    who: str = typer.Argument(help=f"A person's name, a plate, a group or an id. {DASH}", callback=unseen),
    where: str = typer.Argument(help="A gate, a level, or everywhere."),
    during: str = typer.Option(None, help="Only at the hours of this schedule; without one at any hour."),
    start: str = typer.Option(None, "--from", help="Not before: " + WHEN_HELP),
    until: str = typer.Option(None, help="Not after: " + WHEN_HELP),
    deny: bool = typer.Option(False, "--deny", help="Keep them out instead; this beats every other grant."),
) -> None:
    """Let a person, vehicle or group through a gate or level.

    Example: doorward grant "Ada Example" front --during office-hours

    Example: doorward grant staff everywhere --until 2030-12-31
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zone = context.voice.zone
        wanted = Grant(
            id="",
            holder_id=holder_of(house, unit, who),
            target_id=target_of(house, unit, where),
            effect=Effect.DENY if deny else Effect.ALLOW,
            schedule_id=None if during is None else schedule_of(house, unit, during).id,
            valid_from=moment_of(start, zone, unit.now),
            valid_until=moment_of(until, zone, unit.now, is_end=True),
        )
        made = make_grant(unit, house.post, wanted)
    context.voice.answer(
        {"grant": made.id}, f"{'Kept out' if deny else 'Granted'}. End it: doorward revoke {made.id}"
    )


def grants(
    ctx: typer.Context,
    who: str = typer.Argument(
        None, help=f"Only what this person, vehicle or group holds, groups included. {DASH}", callback=unseen
    ),
) -> None:
    """Who may pass where. The look is written down.

    Example: doorward grants "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan, groups = plan_of(house, unit), {group.id: group.name for group in list_groups(unit)}
        if who is None:
            found = list(everything(lambda page: list_grants(unit, page), lambda one: one.id))
        else:
            holder = holder_of(house, unit, who)
            holders = [holder, *sorted(groups_of(unit, holder))]
            found = [one for each in holders for one in grants_of(unit, each)]
    names = {EVERY_GATE: "everywhere"} | {one.id: one.name for one in plan.gates.values()}
    names |= {one.id: one.name for one in plan.levels.values()}
    hours = {None: "always"} | {one.id: one.name for one in plan.schedules.values()}
    rows = [
        {
            "holder": groups.get(one.holder_id, one.holder_id),
            "effect": one.effect,
            "where": names.get(one.target_id, one.target_id),
            "during": hours.get(one.schedule_id, "a schedule that is gone: never"),
            "from": one.valid_from,
            "until": one.valid_until,
            "grant": one.id,
        }
        for one in found
    ]
    columns = ["holder", "effect", "where", "during", "from", "until", "grant"]
    context.voice.table("Grants", columns, rows, none="Nothing is granted: `doorward grant WHO GATE` does.")


def revoke(
    ctx: typer.Context, grant_id: str = typer.Argument(metavar="GRANT", help="Its id, as `grants` shows it.")
) -> None:
    """End a grant at once.

    Example: doorward revoke grant_7k3q9x2m4c5v8b1n
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        gone = revoke_grant(unit, grant_id)
    context.voice.answer({"revoked": gone.id}, "Ended.")
