"""`doorward models`: the weight files, and the loops of the search."""

import typer

from doorward.app.context import context_of
from doorward.matching import preparing
from doorward.vision import weights

commands = typer.Typer(no_args_is_help=True, help="The model files that see faces and plates.")


@commands.command()
def prepare(
    ctx: typer.Context, quiet: bool = typer.Option(False, "--quiet", help="Say nothing when all is ready.")
) -> None:
    """Check the pinned weight files and make them ready, compile the search; safe to repeat.

    Example: doorward models prepare
    """
    prepared = weights.prepare()
    compiled = preparing.prepare()
    if not quiet or prepared.made or compiled:
        facts = {"folder": str(prepared.folder), "made": list(prepared.made), "compiled": compiled}
        told = f"{len(prepared.made)} model files made, {compiled} loops compiled, all are ready."
        context_of(ctx).voice.answer(facts, told)
