"""`doorward models`: the weight files."""

import typer

from doorward.app.context import context_of
from doorward.vision import weights

commands = typer.Typer(no_args_is_help=True, help="The model files that see faces and plates.")


@commands.command()
def prepare(
    ctx: typer.Context, quiet: bool = typer.Option(False, "--quiet", help="Say nothing when all is ready.")
) -> None:
    """Check the pinned weight files and make them ready; safe to repeat.

    Example: doorward models prepare
    """
    prepared = weights.prepare()
    if not quiet or prepared.made:
        facts = {"folder": str(prepared.folder), "made": list(prepared.made)}
        context_of(ctx).voice.answer(facts, f"{len(prepared.made)} model files made, all are ready.")
