"""`doorward audit`: prove that the log is whole."""

from pathlib import Path

import typer

from doorward.app.context import context_of
from doorward.audit.service import export as write_export
from doorward.audit.service import sign_head
from doorward.audit.service import verify as check
from doorward.vault.model import Purpose

commands = typer.Typer(no_args_is_help=True, help="The log of every deed and every look.")


@commands.command()
def verify(ctx: typer.Context) -> None:
    """Check every entry, every node of the tree and every signed head.

    Example: doorward audit verify
    """
    context = context_of(ctx)
    with context.house() as house, house.unit() as unit:
        sign_head(unit, house.vault.signer(Purpose.AUDIT))
        found = check(unit, house.vault.public_keys(Purpose.AUDIT))
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
