"""What every command gets: where the site lies and how to speak."""

from dataclasses import dataclass
from pathlib import Path

import typer

from doorward.app.console import Voice


@dataclass(frozen=True, slots=True)
class Context:
    """The folder of the site and the voice of this command."""

    folder: Path
    voice: Voice


def context_of(ctx: typer.Context) -> Context:
    """The context that the root command made."""
    made = ctx.find_root().obj
    assert isinstance(made, Context)
    return made
