"""`doorward init`, `doorward site ...`: a site on this machine, and what holds at every gate of it."""

from dataclasses import replace
from datetime import date
from typing import Any

import typer

from doorward.app.commands.alone import note_search
from doorward.app.commands.finding import plan_of
from doorward.app.commands.moments import day_of
from doorward.app.context import context_of
from doorward.app.house import House, create_house
from doorward.gates.model import Identification, SiteRules
from doorward.gates.service import set_site_rules
from doorward.people.service import gallery_size
from doorward.platform.db import Unit

commands = typer.Typer(no_args_is_help=True, help="The site: clock, calendar, identification, promise.")


def init(ctx: typer.Context) -> None:
    """Make a new site in --folder: its keys, its encrypted database, its first audit entry.

    Example: doorward init

    Example: doorward --folder office init
    """
    context = context_of(ctx)
    house = create_house(context.folder)
    for warning in house.warnings:
        context.voice.aside(warning)
    facts = {"folder": str(context.folder), "site": house.site_id}
    said = (
        f"A site is ready in {context.folder}. Next: doorward site set --time-zone ..., doorward gate add ..."
    )
    context.voice.answer(facts, said)
    house.close()


@commands.command()
def show(ctx: typer.Context) -> None:
    """What holds at every gate that does not say otherwise.

    Example: doorward site show
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        facts = _facts(house, unit)
    context.voice.card("Site", facts)


@commands.command("set")
def set_rules(
    ctx: typer.Context,
    time_zone: str = typer.Option(None, help="IANA name, such as Europe/Berlin; schedules read this clock."),
    country: str = typer.Option(
        None, help="Whose public holidays count (ISO 3166, such as DE); none for no."
    ),
    region: str = typer.Option(None, help="Its subdivision, such as BE; none for the whole country."),
    closed_on: list[str] = typer.Option(
        None, help="A date to treat as a holiday; replaces those before, none takes them away."
    ),
    working_on: list[str] = typer.Option(
        None, help="A holiday on which you work; replaces those before, none takes them away."
    ),
    identification: Identification = typer.Option(
        None, case_sensitive=False, help="1:1 verifies a card or code by the face, 1:n looks a face up."
    ),
    one_in_verifying: int = typer.Option(
        None, help="1:1: at most one wrong opening in so many strangers' attempts."
    ),
    one_in_identifying: int = typer.Option(None, help="1:n: the same, shared by everybody enrolled."),
    keep_passages_days: int = typer.Option(
        None, min=1, max=3660, help="After so many days it is erased who passed when, and old roll-calls."
    ),
) -> None:
    """Change what you name; everything else stays as it is.

    Example: doorward site set --time-zone Europe/Berlin --country DE --region BE

    Example: doorward site set --identification 1:n --one-in-identifying 500
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        rules = plan_of(house, unit).rules
        days: dict[str, Any] = {
            "added": _days(closed_on),
            "worked": _days(working_on),
        }
        calendar = replace(rules.calendar, **{key: value for key, value in days.items() if value is not None})
        if country is not None:
            calendar = replace(calendar, country=_or_none(country), subdivision=None)
        if region is not None:
            calendar = replace(calendar, subdivision=_or_none(region))
        given: dict[str, Any] = {
            "time_zone": time_zone,
            "identification": identification,
            "one_in_verifying": one_in_verifying,
            "one_in_identifying": one_in_identifying,
            "keep_passages_days": keep_passages_days,
        }
        changes = {key: value for key, value in given.items() if value is not None}
        wanted = SiteRules(**{**_as_given(rules), **changes, "calendar": calendar})
        note_search(house, unit, wanted)
        set_site_rules(unit, wanted)
        facts = _facts(house, unit)
    context.voice.card("Site", facts)


def _as_given(rules: SiteRules) -> dict[str, Any]:
    return {name: getattr(rules, name) for name in SiteRules.__dataclass_fields__}


def _days(words: list[str] | None) -> tuple[date, ...] | None:
    """The dates that were named; none of them for the word none, and None for no word at all."""
    if not words:
        return None
    return () if words == ["none"] else tuple(map(day_of, words))


def _or_none(word: str) -> str | None:
    return None if word.lower() == "none" else word.upper()


def _facts(house: House, unit: Unit) -> dict[str, Any]:
    plan = plan_of(house, unit)
    rules, calendar, zone = plan.rules, plan.rules.calendar, plan.hours.time_zone
    today = unit.now.astimezone(zone).date()
    return {
        "site": house.site_id,
        "time_zone": rules.time_zone,
        "local_time": f"{unit.now.astimezone(zone):%Y-%m-%d %H:%M}",
        "holidays_of": "-".join(filter(None, (calendar.country, calendar.subdivision))) or "nobody",
        "closed_on": [str(day) for day in calendar.added],
        "working_on": [str(day) for day in calendar.worked],
        "next_holiday": str(min((day for day in plan.hours.holidays if day >= today), default="")),
        "identification": rules.identification,
        "one_wrong_opening_in_verifying": rules.one_in_verifying,
        "one_wrong_opening_in_identifying": rules.one_in_identifying,
        "keep_passages_days": rules.keep_passages_days,
        "faces_enrolled": gallery_size(unit, house.recogniser),
        "gates": len(plan.gates),
        "zones": len(plan.zones),
        "orders_in_force": [order.verb for order in plan.orders],
    }
