"""`doorward audit`: read the log, and prove that it is whole."""

import json
from pathlib import Path
from typing import Any

import typer

from doorward.app.commands.finding import holder_of
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import context_of, site_named
from doorward.app.house import CONSOLE
from doorward.audit.model import Entry
from doorward.audit.service import export as write_export
from doorward.audit.service import ledger_of, list_entries, sign_head
from doorward.audit.service import verify as check
from doorward.core.errors import NotFound
from doorward.core.permissions import EVERY_SITE
from doorward.platform.paging import page_request
from doorward.vault.model import Purpose

commands = typer.Typer(no_args_is_help=True, help="The log of every deed and every look.")
COLUMNS = ["at", "event", "by", "subject", "position", "facts"]


@commands.command("list")
def list_all(
    ctx: typer.Context,
    event: str = typer.Option(None, help="Only of this name; docs/reference/events.md lists them."),
    limit: int = typer.Option(20, help="How many, newest first (200 at most)."),
    site: str = typer.Option(
        None, help="The site; the home site if left out, * for what concerns every site."
    ),
) -> None:
    """What was done here, newest first; reading the log is itself written down.

    Example: doorward audit list --event person.viewed

    Example: doorward audit list --event approval.waived
    """
    context = context_of(ctx)
    with context.house() as house:
        where = site_named(site, otherwise=house.site_id)
        with house.database.unit(CONSOLE, where) as unit:
            found = list_entries(unit, page_request(limit=limit), event=event).items
    context.voice.table("Log", COLUMNS, map(_row, found), none="Nothing of this kind was done here.")


@commands.command()
def ledger(
    ctx: typer.Context,
    who: str = typer.Argument(
        help=f"A person's name, a plate, a group or an id; of somebody erased the id. {DASH}", callback=unseen
    ),
) -> None:
    """Everything recorded about one subject, looks included, oldest first. This look is written down too.

    Example: doorward audit ledger "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        try:
            subject = holder_of(house, unit, who)
        except NotFound:
            if not ledger_of(unit, who).entries:
                raise
            subject = who
        found = ledger_of(unit, subject).entries
    context.voice.table("Ledger", COLUMNS, [_row(one.entry) for one in found])


@commands.command()
def verify(ctx: typer.Context) -> None:
    """Check every entry, every node of the tree and every signed head.

    Example: doorward audit verify
    """
    context = context_of(ctx)
    with context.house() as house:
        with house.unit() as unit:
            sign_head(unit, house.vault.signer(Purpose.AUDIT))
            trusted = house.vault.public_keys(Purpose.AUDIT)
        # A long walk over one moment's log, for which nobody at a gate waits.
        with house.database.reading(CONSOLE, EVERY_SITE) as unit:
            found = check(unit, trusted)
    context.voice.answer(
        {"whole": True, "entries": found.size},
        f"The log is whole: {found.size} entries, heads and tree agree.",
    )


@commands.command()
def export(ctx: typer.Context, folder: Path = typer.Argument(help="A new folder to write into.")) -> None:
    """Write the log for the offline verifier, `python -m doorward_verify`.

    Example: doorward audit export log-2030-05
    """
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        sign_head(unit, house.vault.signer(Purpose.AUDIT))
        count = write_export(unit, folder)
    context.voice.answer({"entries": count, "folder": str(folder)}, f"{count} positions are in {folder}.")


@commands.command()
def key(ctx: typer.Context) -> None:
    """The public keys that check the log; give them to whoever should be able to verify it.

    Example: doorward audit key
    """
    context = context_of(ctx)
    with context.house() as house:
        keys = house.vault.public_keys(Purpose.AUDIT)
    rows = [{"key_id": key_id, "public_key": raw.hex()} for key_id, raw in keys.items()]
    context.voice.table("Public keys of the log", ["key_id", "public_key"], rows)


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "event": entry.event,
        "by": entry.actor,
        "subject": entry.subject_id,
        "position": entry.position,
        "facts": json.loads(entry.facts),
    }
