"""`doorward visitor ...`: people expected for a while, with a code to show."""

from datetime import datetime
from pathlib import Path

import typer

from doorward.app.commands.files import draw_code, require_picture
from doorward.app.commands.finding import everything, names_of, person_of, plan_of, target_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.people import PURPOSE
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.gates.model import Grant
from doorward.gates.service import grant as make_grant
from doorward.people.model import Basis, Kind, Person
from doorward.people.service import NewVisit, end_visit, invite_visitor, list_persons

commands = typer.Typer(no_args_is_help=True, help="Visitors: invited with a code, forgotten a day after.")


@commands.command()
def invite(
    ctx: typer.Context,
    name: str = typer.Argument(help=f"The visitor's name. {DASH}", callback=unseen),
    host: str = typer.Option(help=f"Who expects them: a member's name or id. {DASH}", callback=unseen),
    until: str = typer.Option(help="When the visit ends: " + WHEN_HELP),
    start: str = typer.Option(None, "--from", help="When it begins; now if left out."),
    code: Path = typer.Option(help="Where to write the QR code to show at the gate (.svg or .png)."),
    gate: list[str] = typer.Option(None, help="A gate or level to grant them; may be repeated."),
    notice: str = typer.Option("1", help="Version of the privacy notice the visitor was given."),
    basis: Basis = typer.Option(Basis.LEGITIMATE_INTEREST, help="Lawful basis of keeping the name."),
    id_number: str = typer.Option(None, help=f"The number of an ID; it is sealed. {DASH}", callback=unseen),
) -> None:
    """Expect a visitor: draws a code that works during the visit, at the gates granted.

    Example: doorward visitor invite "Vera Example" --host Ada --until 18:00 --gate front --code v.svg
    """
    context = context_of(ctx)
    require_picture(code)
    with context.site() as (house, unit):
        zone = plan_of(house, unit).hours.time_zone
        ends = moment_of(until, zone, unit.now, is_end=True)
        assert ends is not None
        visit = NewVisit(
            name=name,
            host_id=person_of(house, unit, host),
            valid_from=moment_of(start, zone, unit.now) or unit.now,
            valid_until=ends,
            basis=basis,
            notice_version=notice,
            id_number=id_number,
        )
        invited = invite_visitor(unit, house.vault, visit)
        for word in gate or ():
            target = target_of(house, unit, word)
            make_grant(unit, house.post, Grant(id="", holder_id=invited.visitor.id, target_id=target))
        draw_code(invited.token, code)
    facts = {"visitor": invited.visitor.id, "until": ends, "written": str(code)}
    said = f"Expected until {context.voice.shown(ends)}. The code is in {code}: send it and delete the file."
    if not gate:
        said += f"\nNext: doorward grant {invited.visitor.id} GATE (a gate that takes qr)."
    context.voice.answer(facts, said)


@commands.command("list")
def list_all(
    ctx: typer.Context, purpose: str = typer.Option(None, help="Show names as well. " + PURPOSE)
) -> None:
    """Everybody invited, those whose visit is over as well until they are erased a day later.

    Example: doorward visitor list --purpose reception
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        everybody = everything(lambda page: list_persons(unit, page), lambda one: one.id)
        found = [one for one in everybody if one.kind is Kind.VISITOR]
        names = names_of(house, unit, [one.id for one in found], purpose) if purpose else {}
        rows = [
            {
                "id": one.id,
                "state": _state(one, unit.now),
                "from": one.valid_from,
                "until": one.valid_until,
                "host": one.host_id,
            }
            | ({"name": names.get(one.id)} if purpose else {})
            for one in found
        ]
    columns = (["name"] if purpose else []) + ["state", "from", "until", "id", "host"]
    context.voice.table("Visitors", columns, rows, none="No visitor is expected.")


@commands.command()
def end(
    ctx: typer.Context, who: str = typer.Argument(help=f"The visitor's name or id. {DASH}", callback=unseen)
) -> None:
    """End a visit now: nothing opens any more, and a day later the visitor is erased.

    Example: doorward visitor end "Vera Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        visitor = person_of(house, unit, who)
        end_visit(unit, visitor)
    context.voice.answer({"visitor": visitor, "ended": True}, "The visit is over.")


def _state(visitor: Person, now: datetime) -> str:
    if visitor.suspended:
        return "suspended"
    if visitor.valid_until is not None and visitor.valid_until <= now:
        return "over"
    return "expected" if visitor.valid_from is not None and visitor.valid_from > now else "valid"
