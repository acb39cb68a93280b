"""`doorward person ...`: who is known here, with what limits; looks, corrections, forgetting."""

import json
from pathlib import Path
from typing import Any

import typer

from doorward.app.commands.alone import note_looks, note_many
from doorward.app.commands.files import require_writable, write_text
from doorward.app.commands.finding import everything, group_of, names_of, person_of, plan_of
from doorward.app.commands.moments import WHEN_HELP, moment_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of
from doorward.app.house import House
from doorward.core.errors import Invalid, NotFound
from doorward.people.model import Basis, Kind, Person
from doorward.people.model.approvals import Action
from doorward.people.service import (
    NewPerson,
    add_person,
    correct_person,
    export_person,
    find_by_id_number,
    find_by_name,
    forget_person,
    get_person,
    groups_of,
    has_pin,
    limit_person,
    list_credentials,
    list_groups,
    list_persons,
    suspend,
    view_person,
)
from doorward.platform.db import Unit
from doorward.vault.service import receipt_text

commands = typer.Typer(no_args_is_help=True, help="People: find, look at, limit, give credentials, forget.")
NAME = typer.Argument(help=f"The person's name as enrolled, or the id. {DASH}", callback=unseen)
PURPOSE = "Why you look, as a short code such as guard-check; it is written down."
COLUMNS = ["id", "kind", "face", "suspended", "from", "until", "added_at"]


@commands.command()
def add(
    ctx: typer.Context,
    name: str = typer.Argument(help=f"The person's name. {DASH}", callback=unseen),
    basis: Basis = typer.Option(Basis.CONTRACT, help="Lawful basis of keeping the name."),
    notice: str = typer.Option("1", help="Version of the privacy notice the person was given."),
    id_number: str = typer.Option(None, help=f"An ID or staff number; it is sealed. {DASH}", callback=unseen),
    start: str = typer.Option(None, "--from", help="Passes not before: " + WHEN_HELP),
    until: str = typer.Option(None, help="Passes not after: " + WHEN_HELP),
    exempt: bool = typer.Option(False, "--exempt", help="Anti-passback leaves this person alone."),
) -> None:
    """Register somebody without a face: a card, code or PIN is the equal path.

    Example: doorward person add "Bo Example" --until 2030-12-31
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zone = plan_of(house, unit).hours.time_zone
        new = NewPerson(
            name=name,
            basis=basis,
            notice_version=notice,
            id_number=id_number,
            valid_from=moment_of(start, zone, unit.now),
            valid_until=moment_of(until, zone, unit.now, is_end=True),
            passback_exempt=exempt,
        )
        made = add_person(unit, house.vault, new)
    context.voice.answer({"person": made.id}, f"Registered as {made.id}; give a card, code or PIN next.")


@commands.command("list")
def list_all(
    ctx: typer.Context,
    group: str = typer.Option(None, help="Only those of this group."),
    purpose: str = typer.Option(None, help="Show names as well. " + PURPOSE),
) -> None:
    """Everybody by id; with a purpose by name too, and each of those looks is written down.

    Example: doorward person list --group staff
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        found = list(everything(lambda page: list_persons(unit, page), lambda one: one.id))
        if group is not None:
            wanted = group_of(unit, group).id
            found = [one for one in found if wanted in groups_of(unit, one.id)]
        names = names_of(house, unit, [one.id for one in found], purpose) if purpose else {}
    rows = [_row(one) | ({"name": names.get(one.id)} if purpose else {}) for one in found]
    columns = (["name"] if purpose else []) + COLUMNS
    context.voice.table("People", columns, rows, none="Nobody: enrol with `doorward enrol NAME PHOTO...`.")


@commands.command()
def find(
    ctx: typer.Context,
    name: str = typer.Argument(
        None, help=f"The name, in any spelling of case and blanks. {DASH}", callback=unseen
    ),
    id_number: str = typer.Option(None, help=f"Search by ID number instead. {DASH}", callback=unseen),
) -> None:
    """Ids of everybody of exactly this name or ID number. The search is written down.

    Example: doorward person find "Ada Example"
    """
    context = context_of(ctx)
    if (name is None) == (id_number is None):
        raise Invalid("Search by a name or by --id-number, one at a time.")
    with context.site() as (house, unit):
        found = (
            find_by_name(unit, house.vault, name)
            if name is not None
            else find_by_id_number(unit, house.vault, id_number)
        )
        note_looks(house, unit, found)
        rows = [_row(get_person(unit, person_id)) for person_id in found]
    if not rows:
        raise NotFound("Nobody is known by exactly this: check the spelling, or enrol them first.")
    context.voice.table("People", COLUMNS, rows)


@commands.command()
def show(ctx: typer.Context, name: str = NAME, purpose: str = typer.Option(help=PURPOSE)) -> None:
    """What is held of a person. The look enters that person's own ledger.

    Example: doorward person show "Ada Example" --purpose guard-check
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        facts = _held(house, unit, person_of(house, unit, name), purpose)
    context.voice.card("Person", facts)


@commands.command("suspend")
def suspend_person(ctx: typer.Context, name: str = NAME) -> None:
    """Stop somebody's passages until further notice; ways out still open.

    Example: doorward person suspend "Ada Example"
    """
    _suspend(ctx, name, suspended=True)


@commands.command()
def resume(ctx: typer.Context, name: str = NAME) -> None:
    """Let somebody suspended pass again.

    Example: doorward person resume "Ada Example"
    """
    _suspend(ctx, name, suspended=False)


@commands.command()
def limit(
    ctx: typer.Context,
    name: str = NAME,
    start: str = typer.Option(None, "--from", help="Not before: " + WHEN_HELP + " never takes it away."),
    until: str = typer.Option(None, help="Not after: " + WHEN_HELP + " never takes it away."),
    exempt: bool = typer.Option(
        None, "--exempt/--not-exempt", help="Whether anti-passback leaves this person alone."
    ),
) -> None:
    """Set from when until when somebody may pass; what you do not name stays.

    Example: doorward person limit "Ada Example" --until "2030-05-31 18:00"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        zone = plan_of(house, unit).hours.time_zone
        person = get_person(unit, person_of(house, unit, name))
        begins = moment_of(None if start == "never" else start, zone, unit.now)
        ends = moment_of(None if until == "never" else until, zone, unit.now, is_end=True)
        limited = limit_person(
            unit,
            person.id,
            valid_from=person.valid_from if start is None else begins,
            valid_until=person.valid_until if until is None else ends,
            passback_exempt=person.passback_exempt if exempt is None else exempt,
        )
    context.voice.card("Person", _row(limited) | {"passback_exempt": limited.passback_exempt})


@commands.command()
def correct(
    ctx: typer.Context,
    name: str = NAME,
    new_name: str = typer.Option(None, help=f"The right name. {DASH}", callback=unseen),
    id_number: str = typer.Option(None, help=f"The right ID number. {DASH}", callback=unseen),
) -> None:
    """Set right a wrong name or ID number.

    Example: doorward person correct "Ada Exampel" --new-name "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        person_id = person_of(house, unit, name)
        correct_person(unit, house.vault, person_id, name=new_name, id_number=id_number)
    context.voice.answer({"person": person_id}, "Corrected.")


@commands.command()
def export(
    ctx: typer.Context,
    name: str = NAME,
    out: Path = typer.Option(help="A new file to write (JSON)."),
    purpose: str = typer.Option("subject-request", help=PURPOSE),
) -> None:
    """Everything held about one person, for that person; the export is written down.

    Example: doorward person export "Ada Example" --out ada.json
    """
    context = context_of(ctx)
    require_writable(out)
    with context.site() as (house, unit):
        person_id = person_of(house, unit, name)
        note_many(house, unit, Action.EXPORT_MANY, [person_id])
        content = export_person(unit, house.vault, person_id, purpose=purpose)
    write_text(out, json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n")
    context.voice.answer(
        {"written": str(out)}, f"All that is held is in {out}: hand it over, then delete it."
    )


@commands.command()
def forget(
    ctx: typer.Context,
    name: str = NAME,
    receipt: Path = typer.Option(None, help="A new file for the signed receipt."),
) -> None:
    """Erase a person for good: the key is destroyed, and a signed receipt says so.

    Example: doorward person forget "Ada Example" --receipt receipt.json
    """
    context = context_of(ctx)
    require_writable(receipt)
    with context.site() as (house, unit):
        person_id = person_of(house, unit, name)
        note_many(house, unit, Action.ERASE_MANY, [person_id])
        made = forget_person(unit, house.recogniser, person_id)
    if receipt is not None:
        write_text(receipt, receipt_text(made))
    context.voice.answer({"erased": made.body["subject_id"], "key_id": made.key_id}, "Erased for good.")


def _suspend(ctx: typer.Context, name: str, *, suspended: bool) -> None:
    context = context_of(ctx)
    with context.site() as (house, unit):
        person_id = person_of(house, unit, name)
        suspend(unit, person_id, suspended=suspended)
    said = "Passes no way in until resumed." if suspended else "Passes again where granted."
    context.voice.answer({"person": person_id, "suspended": suspended}, said)


def _held(house: House, unit: Unit, person_id: str, purpose: str) -> dict[str, Any]:
    note_looks(house, unit, [person_id])
    view = view_person(unit, house.vault, person_id, purpose=purpose)
    groups = {group.id: group.name for group in list_groups(unit)}
    kinds = [kind for _, kind in list_credentials(unit, person_id)]
    return _row(view.person) | {
        "name": view.name,
        "id_number": view.id_number,
        "basis": view.person.basis,
        "notice": view.person.notice_version,
        "groups": [groups.get(one, one) for one in sorted(groups_of(unit, person_id))],
        "cards": kinds.count("card"),
        "qr": "qr" in kinds,
        "pin": has_pin(unit, person_id),
        "passback_exempt": view.person.passback_exempt,
    }


def _row(person: Person) -> dict[str, Any]:
    row = {
        "id": person.id,
        "kind": person.kind,
        "face": person.has_face,
        "suspended": person.suspended,
        "from": person.valid_from,
        "until": person.valid_until,
        "added_at": person.added_at,
    }
    return row | ({"host": person.host_id} if person.kind is Kind.VISITOR else {})
