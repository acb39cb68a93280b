"""What every command gets: where the site lies and how to speak."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from doorward.app.console import Voice
from doorward.app.house import House, open_house


@dataclass(frozen=True, slots=True)
class Context:
    """The folder of the site and the voice of this command."""

    folder: Path
    voice: Voice

    @contextmanager
    def house(self) -> Iterator[House]:
        """The opened site, closed afterwards."""
        opened = open_house(self.folder)
        try:
            yield opened
        finally:
            opened.close()


def context_of(ctx: typer.Context) -> Context:
    """The context that the root command made."""
    made = ctx.find_root().obj
    assert isinstance(made, Context)
    return made
