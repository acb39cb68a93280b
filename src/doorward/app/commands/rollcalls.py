"""`doorward rollcall ...`: who was inside, who has been seen safe, who is missing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from doorward.app.commands.files import require_writable, write_text
from doorward.app.commands.finding import plan_of, subject_of, zone_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import Context, context_of
from doorward.app.house import House
from doorward.core.errors import NotFound
from doorward.gates.service import (
    Muster,
    as_page,
    end_rollcall,
    get_rollcall,
    list_rollcalls,
    mark_safe,
    names_of,
    start_rollcall,
)
from doorward.platform.db import Unit

commands = typer.Typer(no_args_is_help=True, help="Roll-calls: who was inside, who is safe, who is missing.")
WHICH = typer.Option(None, "--rollcall", help="A roll-call's id; the running or latest one if left out.")
NAMES = typer.Option(False, "--names", help="Show names: each is a look at that person and written down.")


@commands.command()
def start(
    ctx: typer.Context,
    zone: list[str] = typer.Option(None, help="Only this zone; may be repeated. Every zone if left out."),
    drill: bool = typer.Option(False, "--drill", help="An exercise: a list of its own, changes no door."),
    names: bool = NAMES,
) -> None:
    """Begin to look for everybody counted inside now, and show who is missing.

    Over REST this also needs the right people:read; whoever sits at this machine holds every right.

    Example: doorward rollcall start --drill
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zones = tuple(zone_of(house, unit, word).id for word in zone or ())
        muster = start_rollcall(unit, drill=drill, zone_ids=zones)
        told = _told(house, unit, muster, names=names)
    _show(context, muster, told)


@commands.command()
def show(
    ctx: typer.Context,
    rollcall: str = WHICH,
    names: bool = NAMES,
    page: Path = typer.Option(None, help="A new file for a page to print, with names; needs no network."),
) -> None:
    """Who is missing and who is safe; the look is written down.

    Example: doorward rollcall show --names

    Example: doorward rollcall show --page rollcall.html
    """
    context = context_of(ctx)
    require_writable(page)
    with context.site() as (house, unit):
        muster = get_rollcall(unit, _which(unit, rollcall))
        told = _told(house, unit, muster, names=names or page is not None)
        zones = {one.id: one.name for one in plan_of(house, unit).zones.values()}
    if page is None:
        _show(context, muster, told)
        return
    write_text(page, as_page(muster, {one: facts["name"] for one, facts in told.items()}, zones=zones))
    context.voice.answer({"written": str(page)}, f"Print {page}; it holds names, so delete it afterwards.")


@commands.command()
def safe(
    ctx: typer.Context,
    who: str = typer.Argument(help=f"A person's name, a plate or an id. {DASH}", callback=unseen),
    at: str = typer.Option(help="Where they stand: the muster point."),
    rollcall: str = WHICH,
) -> None:
    """Mark somebody safe; whoever was not counted inside is added to the list.

    Example: doorward rollcall safe "Ada Example" --at car-park
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        subject = subject_of(house, unit, who)
        muster = mark_safe(unit, house.post, _which(unit, rollcall), subject, muster_point=at)
    left = len(muster.missing)
    facts = {"rollcall": muster.call.id, "safe": subject, "missing": left}
    context.voice.answer(facts, f"Safe. {left} missing of {len(muster.people)}.")


@commands.command()
def end(ctx: typer.Context, rollcall: str = WHICH) -> None:
    """End a roll-call; its list stays.

    Example: doorward rollcall end
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        muster = end_rollcall(unit, _which(unit, rollcall))
    facts = {"rollcall": muster.call.id, "missing": len(muster.missing), "expected": len(muster.people)}
    context.voice.answer(facts, f"Ended with {len(muster.missing)} missing of {len(muster.people)}.")


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """The latest roll-calls.

    Example: doorward rollcall list
    """
    context = context_of(ctx)
    with context.site() as (_, unit):
        found = list_rollcalls(unit)
    rows = [
        {
            "started_at": one.started_at,
            "drill": one.drill,
            "ended_at": one.ended_at,
            "rollcall": one.id,
            "started_by": one.started_by,
        }
        for one in found
    ]
    columns = ["started_at", "drill", "ended_at", "rollcall", "started_by"]
    context.voice.table("Roll-calls", columns, rows, none="No roll-call yet: `doorward rollcall start`.")


def _which(unit: Unit, rollcall: str | None) -> str:
    """The one named, else the one that runs, else the latest."""
    if rollcall is not None:
        return rollcall
    found = list_rollcalls(unit)
    if not found:
        raise NotFound("There was no roll-call yet: begin one with `doorward rollcall start`.")
    return next((one.id for one in found if one.ended_at is None), found[0].id)


def _told(house: House, unit: Unit, muster: Muster, *, names: bool) -> dict[str, dict[str, Any]]:
    """Name and zone of each by id, as far as they are to be told."""
    zones = {one.id: one.name for one in plan_of(house, unit).zones.values()}
    found: Mapping[str, str] = names_of(unit, house.vault, muster) if names else {}
    return {
        one.subject_id: {
            "name": found.get(one.subject_id, one.subject_id),
            "zone": zones.get(one.zone_id or "", one.zone_id or "not counted inside"),
        }
        for one in muster.people
    }


def _show(context: Context, muster: Muster, told: Mapping[str, Mapping[str, Any]]) -> None:
    people = sorted(muster.people, key=lambda one: one.safe_at is not None)
    rows = [
        {
            "who": told[one.subject_id]["name"],
            "state": "MISSING" if one.safe_at is None else "safe",
            "last_zone": told[one.subject_id]["zone"],
            "since": one.since,
            "safe_at": one.safe_at,
            "muster_point": one.muster_point,
            "subject": one.subject_id,
        }
        for one in people
    ]
    kind = "Drill" if muster.call.drill else "Roll-call"
    title = f"{kind} {muster.call.id}: {len(muster.missing)} missing of {len(rows)}"
    columns = ["state", "who", "last_zone", "since", "safe_at", "muster_point"]
    if context.voice.as_json:
        facts = {"rollcall": muster.call.id, "drill": muster.call.drill, "ended_at": muster.call.ended_at}
        counts = {"expected": len(rows), "missing": len(muster.missing)}
        context.voice.answer(facts | counts | {"people": rows}, "")
    else:
        context.voice.table(title, columns, rows, none=f"{kind} {muster.call.id}: nobody counts as inside.")
