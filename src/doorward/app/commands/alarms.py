"""`doorward alarm ...`: what somebody should look at."""

import typer

from doorward.app.commands.finding import everything, plan_of
from doorward.app.context import context_of
from doorward.gates.model import Agent, Gate, Zone
from doorward.gates.service import acknowledge_alarm, list_alarms

commands = typer.Typer(no_args_is_help=True, help="Alarms: what somebody should look at.")
EVERY = "all"


@commands.command("list")
def list_all(
    ctx: typer.Context,
    old: bool = typer.Option(False, "--old", help="Those that somebody has looked at as well."),
) -> None:
    """Alarms, newest first. The look is written down; docs/operate/decisions.md says what each means.

    Example: doorward alarm list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
        found = list(everything(lambda page: list_alarms(unit, page, waiting=not old), lambda one: one.id))
    pieces: list[Gate | Zone | Agent] = [*plan.gates.values(), *plan.zones.values(), *plan.agents.values()]
    places = {one.id: one.name for one in pieces}
    rows = [
        {
            "raised_at": one.raised_at,
            "kind": one.kind,
            "place": places.get(one.place_id, one.place_id),
            "subject": one.subject_id,
            "passage": one.passage_id,
            "alarm": one.id,
            "acknowledged_at": one.acknowledged_at,
            "acknowledged_by": one.acknowledged_by,
            "detail": one.detail,
        }
        for one in found
    ]
    columns = ["raised_at", "kind", "place", "subject", "alarm", "detail"]
    columns += ["acknowledged_by"] if old else []
    context.voice.table("Alarms", columns, rows, none="No alarm waits.")


@commands.command()
def acknowledge(
    ctx: typer.Context,
    alarms: list[str] = typer.Argument(help="Ids as `alarm list` shows them, or all that wait."),
) -> None:
    """Say that somebody has looked; the first to say so is kept.

    Example: doorward alarm acknowledge all
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        if alarms == [EVERY]:
            waiting = everything(lambda page: list_alarms(unit, page, waiting=True), lambda one: one.id)
            alarms = [one.id for one in list(waiting)]
        for one in alarms:
            acknowledge_alarm(unit, one)
    context.voice.answer({"acknowledged": alarms}, f"{len(alarms)} acknowledged.")
