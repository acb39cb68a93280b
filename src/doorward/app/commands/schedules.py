"""`doorward schedule ...`: the hours of a grant, in the words of a notice on a door."""

from dataclasses import replace
from datetime import timedelta

import typer

from doorward.app.commands.finding import everything, plan_of, require_new, schedule_of
from doorward.app.commands.moments import day_of
from doorward.app.context import context_of
from doorward.core.errors import Conflict, Invalid
from doorward.core.ids import new_id
from doorward.gates.model import DayException, Schedule, Span
from doorward.gates.rules.schedules import is_open, spans_on
from doorward.gates.rules.weekly import parse_spans, parse_week, write_spans, write_week
from doorward.gates.service import forget_piece, list_grants, set_piece

commands = typer.Typer(no_args_is_help=True, help="Schedules: the hours at which a grant holds.")
SCHEDULE = typer.Argument(help="The schedule's name or id.")
HOURS = "Such as: mon-fri 08:00-18:00; sat 09:00-12:00. Or daily, always."
HOLIDAYS = "On public holidays: closed, as-usual, or spans such as 10:00-14:00."
ON = "One date with hours of its own, such as '2030-12-24 08:00-12:00' or '2030-12-31 closed'."
CLOSED, AS_USUAL = "closed", "as-usual"
DAYS_SHOWN = 7


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help="What you will call it, such as office-hours."),
    hours: str = typer.Argument(help=HOURS),
    holidays: str = typer.Option(CLOSED, help=HOLIDAYS),
    on: list[str] = typer.Option(None, "--on", help=ON + " May be repeated."),
) -> None:
    """Add a schedule. A span that ends before it begins ends the next day.

    Example: doorward schedule add office-hours "mon-fri 08:00-18:00; sat 09:00-12:00"

    Example: doorward schedule add night-shift "daily 22:00-06:00" --holidays as-usual
    """
    context = context_of(ctx)
    schedule = Schedule(
        id=new_id("schedule"),
        name=name,
        weekly=parse_week(hours),
        on_holidays=_holidays(holidays),
        exceptions=_exceptions(on),
    )
    with context.site() as (house, unit):
        require_new("schedule", name, plan_of(house, unit).schedules.values())
        set_piece(unit, house.post, schedule)
    text = write_week(schedule.weekly)
    said = f"Schedule {name}: {text}. Use it: doorward grant WHO GATE --during {name}"
    context.voice.answer({"schedule": schedule.id, "name": name, "hours": text}, said)


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every schedule of the site, and whether it is open now.

    Example: doorward schedule list
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
    rows = [
        {
            "name": one.name,
            "open_now": is_open(one, plan.hours, unit.now),
            "holidays": _holidays_text(one),
            "id": one.id,
            "hours": write_week(one.weekly),
        }
        for one in sorted(plan.schedules.values(), key=lambda schedule: schedule.name)
    ]
    none = "No schedule yet: without one a grant holds at any hour."
    context.voice.table("Schedules", ["name", "open_now", "holidays", "id", "hours"], rows, none=none)


@commands.command()
def show(ctx: typer.Context, schedule: str = SCHEDULE) -> None:
    """One schedule, and what it says for each of the next seven days.

    Example: doorward schedule show office-hours
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        plan = plan_of(house, unit)
        found = schedule_of(house, unit, schedule)
    today = unit.now.astimezone(plan.hours.time_zone).date()
    days = {}
    for day in (today + timedelta(days=number) for number in range(DAYS_SHOWN)):
        spans = write_spans(spans_on(found, plan.hours.holidays, day)) or CLOSED
        holiday = " (public holiday)" if day in plan.hours.holidays else ""
        days[f"{day:%a} {day}"] = spans + holiday
    facts = {
        "id": found.id,
        "name": found.name,
        "hours": write_week(found.weekly),
        "holidays": _holidays_text(found),
        "exceptions": [f"{one.on} {write_spans(one.spans) or CLOSED}" for one in found.exceptions],
        "time_zone": plan.rules.time_zone,
        "open_now": is_open(found, plan.hours, unit.now),
    }
    if context.voice.as_json:
        context.voice.card("", facts, next_days={name.split()[1]: text for name, text in days.items()})
    else:
        context.voice.card(f"Schedule {found.name}", facts | days)


@commands.command()
def change(
    ctx: typer.Context,
    schedule: str = SCHEDULE,
    hours: str = typer.Option(None, help=HOURS),
    holidays: str = typer.Option(None, help=HOLIDAYS),
    on: list[str] = typer.Option(None, "--on", help=ON + " Replaces that date's; may be repeated."),
    as_ever: list[str] = typer.Option(None, help="A date whose own hours are taken away; may be repeated."),
    name: str = typer.Option(None, help="A new name."),
) -> None:
    """Change what you name; grants that use it follow at once.

    Example: doorward schedule change office-hours --on "2030-12-24 08:00-12:00"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = schedule_of(house, unit, schedule)
        if name is not None and name != found.name:
            require_new("schedule", name, plan_of(house, unit).schedules.values())
        fresh = _exceptions(on)
        gone = {one.on for one in fresh} | {day_of(text) for text in as_ever or ()}
        changed = replace(
            found,
            name=name or found.name,
            weekly=found.weekly if hours is None else parse_week(hours),
            on_holidays=found.on_holidays if holidays is None else _holidays(holidays),
            exceptions=tuple(one for one in found.exceptions if one.on not in gone) + fresh,
        )
        set_piece(unit, house.post, changed)
    text = write_week(changed.weekly)
    context.voice.answer({"schedule": changed.id, "hours": text}, f"Schedule {changed.name}: {text}.")


@commands.command()
def remove(ctx: typer.Context, schedule: str = SCHEDULE) -> None:
    """Take a schedule out of the plan, once no grant uses it.

    Example: doorward schedule remove old-hours
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = schedule_of(house, unit, schedule)
        grants = everything(lambda page: list_grants(unit, page), lambda one: one.id)
        used = [one.id for one in grants if one.schedule_id == found.id]
        if used:
            raise Conflict(f"Still used by {', '.join(used[:5])}: end those with `doorward revoke` first.")
        forget_piece(unit, house.post, found.id)
    context.voice.answer({"removed": found.id}, f"Schedule {found.name} is gone from the plan.")


def _holidays(text: str) -> tuple[Span, ...] | None:
    if text == AS_USUAL:
        return None
    return () if text == CLOSED else parse_spans(text)


def _holidays_text(schedule: Schedule) -> str:
    if schedule.on_holidays is None:
        return AS_USUAL
    return write_spans(schedule.on_holidays) or CLOSED


def _exceptions(texts: list[str] | None) -> tuple[DayException, ...]:
    made = []
    for text in texts or ():
        day, _, spans = text.strip().partition(" ")
        if not spans:
            raise Invalid(
                "Say which hours hold on that date: '2030-12-24 08:00-12:00' or '2030-12-24 closed'."
            )
        made.append(DayException(day_of(day), () if spans == CLOSED else parse_spans(spans)))
    return tuple(made)
