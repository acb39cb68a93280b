"""`doorward events`, `why`, `inside`, `doors`: what happened at the gates, and how things stand."""

import json
from collections import Counter
from typing import Any

import typer

from doorward.app.commands.finding import gate_of, names_of, plan_of, subject_of, zone_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.people import PURPOSE
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.core.errors import NotFound
from doorward.gates.model import Passage, PassageState
from doorward.gates.service import Wanted, find_present, get_passage, list_doors, list_passages
from doorward.platform.db import Unit
from doorward.platform.paging import page_request

REFUSING = frozenset({PassageState.REFUSED})


def events(
    ctx: typer.Context,
    gate: str = typer.Option(None, help="Only this gate's."),
    who: str = typer.Option(None, help=f"Only this person's or vehicle's. {DASH}", callback=unseen),
    state: PassageState = typer.Option(None, help="Only those that went so far."),
    since: str = typer.Option(None, help="Not before: " + WHEN_HELP),
    until: str = typer.Option(None, help="Before: " + WHEN_HELP),
    limit: int = typer.Option(20, help="How many, newest first (200 at most)."),
) -> None:
    """What happened at the gates, newest first. The look is written down.

    Example: doorward events --gate front --state refused --since 08:00
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        gates, zone = plan_of(house, unit).gates, context.voice.zone
        wanted = Wanted(
            gate_id=None if gate is None else gate_of(house, unit, gate).id,
            subject_id=None if who is None else subject_of(house, unit, who),
            state=state,
            since=moment_of(since, zone, unit.now),
            until=moment_of(until, zone, unit.now, is_end=True),
        )
        found = list_passages(unit, wanted, page_request(limit=limit))[:limit]
    rows = [
        {
            "at": one.passage.decided_at,
            "gate": gates[one.passage.gate_id].name if one.passage.gate_id in gates else one.passage.gate_id,
            "state": one.passage.state,
            "because": one.passage.because,
            "subject": one.passage.subject_id,
            "offline": one.passage.offline,
            "passage": one.passage.id,
        }
        for one in found
    ]
    columns = ["at", "gate", "state", "because", "subject", "passage"]
    context.voice.table("Passages", columns, rows, none="Nobody has passed or asked to.")


def why(
    ctx: typer.Context,
    passage: str = typer.Argument(
        None, help="The passage's id, as `events` shows it; the latest if left out."
    ),
    gate: str = typer.Option(None, help="The latest at this gate."),
) -> None:
    """Every rule with its answer for one passage, in the order they were asked. The look is written down.

    docs/operate/decisions.md explains each refusal and what to do.

    Example: doorward why

    Example: doorward why passage_zetskyqcxqf2c46f
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        gates = plan_of(house, unit).gates
        found = get_passage(unit, passage or _latest(house, unit, gate))
    rows = [_answered(found, number, line) for number, line in enumerate(json.loads(found.trace), start=1)]
    facts = {
        "state": found.state,
        "because": found.because,
        "gate": gates[found.gate_id].name if found.gate_id in gates else found.gate_id,
        "direction": found.direction,
        "subject": found.subject_id,
        "companion": found.companion_id,
        "seen_at": found.seen_at,
        "decided_at": found.decided_at,
        "decided_by": "the agent alone" if found.offline else "the server",
        "passage": found.id,
    }
    if context.voice.as_json:
        context.voice.answer(facts | {"rules": rows}, "")
        return
    context.voice.card("Passage", facts)
    none = "No rule was asked: staff opened by hand, or the agent decided alone."
    context.voice.table("Rules", ["no", "rule", "answer", "detail"], rows, none=none)


def inside(
    ctx: typer.Context,
    zone: str = typer.Argument(None, help="Only this zone."),
    purpose: str = typer.Option(None, help="Show names as well. " + PURPOSE),
) -> None:
    """Who counts as being where, by id; with a purpose by name. The look is written down.

    Example: doorward inside

    Example: doorward inside office --purpose fire-drill
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zones = plan_of(house, unit).zones
        wanted = None if zone is None else zone_of(house, unit, zone).id
        found = [one for one in find_present(unit, wanted) if one.zone_id is not None]
        names = names_of(house, unit, [one.subject_id for one in found], purpose) if purpose else {}
    names_by_zone: dict[str | None, str] = {one.id: one.name for one in zones.values()}
    rows = [
        {
            "zone": names_by_zone.get(one.zone_id, one.zone_id),
            "subject": one.subject_id,
            "since": one.since,
        }
        | ({"name": names.get(one.subject_id)} if purpose else {})
        for one in found
    ]
    columns = ["zone", *(["name"] if purpose else []), "subject", "since"]
    context.voice.table("Inside", columns, rows, none="Nobody counts as inside.")
    if not context.voice.as_json:
        counts = Counter(one.zone_id for one in found)
        full = [one for one in zones.values() if one.capacity is not None and wanted in (None, one.id)]
        for one in full:
            context.voice.answer({}, f"{one.name}: {counts[one.id]} of {one.capacity}")


def doors(ctx: typer.Context) -> None:
    """How each door stands that ever said anything.

    Example: doorward doors
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        gates = plan_of(house, unit).gates.values()
        found = list_doors(unit)
    rows = [
        {
            "door": one.door_id,
            "gates": [gate.name for gate in gates if gate.leaf == one.door_id],
            "status": one.status,
            "open_since": one.opened_at,
        }
        for one in found
    ]
    none = "No door has contacts that spoke so far."
    context.voice.table("Doors", ["status", "door", "open_since", "gates"], rows, none=none)


def _latest(house: House, unit: Unit, gate: str | None) -> str:
    gate_id = None if gate is None else gate_of(house, unit, gate).id
    found = list_passages(unit, Wanted(gate_id=gate_id), page_request(limit=1))
    if not found:
        raise NotFound("Nobody has passed or asked to yet: there is nothing to explain.")
    return found[0].passage.id


def _answered(passage: Passage, number: int, line: list[Any]) -> dict[str, Any]:
    rule, passed, detail, refusal = line
    broken = "refuses" if passage.state in REFUSING else "noted"
    return {
        "no": number,
        "rule": rule,
        "answer": "passes" if passed else broken,
        "passed": passed,
        "detail": detail,
        "refusal": refusal,
    }
