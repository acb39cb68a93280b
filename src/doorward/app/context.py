"""What every command gets: where the site lies and how to speak."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import typer

from doorward.app.console import Voice
from doorward.app.house import CONSOLE, House, open_house
from doorward.core.errors import Invalid
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Unit

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Context:
    """The folder of the site and the voice of this command."""

    folder: Path
    voice: Voice

    @contextmanager
    def house(self) -> Iterator[House]:
        """The opened site, closed afterwards; the voice tells times on its clock."""
        opened = open_house(self.folder)
        try:
            with opened.database.reading(CONSOLE, opened.site_id) as unit:
                self.voice.zone = opened.post.plans.plan_of(unit).hours.time_zone
            yield opened
        finally:
            opened.close()

    @contextmanager
    def site(self) -> Iterator[tuple[House, Unit]]:
        """The opened site and one unit at it, kept on a clean exit."""
        with self.house() as house, house.unit() as unit:
            yield house, unit

    @contextmanager
    def everywhere(self, site_id: str | None = None) -> Iterator[tuple[House, Unit]]:
        """The opened site and one unit at every site, or at the one named."""
        where = site_named(site_id, otherwise=EVERY_SITE)
        with self.house() as house, house.database.unit(CONSOLE, where) as unit:
            yield house, unit

    @contextmanager
    def stoppable(self, stopped: str) -> Iterator[None]:
        """Long work that Ctrl-C may end: then it is said what stays, and the command leaves with 1."""
        try:
            yield
        except KeyboardInterrupt:
            self.voice.aside(stopped)
            raise typer.Exit(1) from None

    def each(self, what: str, items: Sequence[Item]) -> Iterator[Item]:
        """The items, with a progress bar when there are enough to wait for."""
        with self.voice.bar(what, len(items)) as bar:
            for item in items:
                yield item
                bar.step()


def site_named(word: str | None, *, otherwise: str) -> str:
    """The site that an option names; `Invalid` for an empty one, which must not come to mean another."""
    if word == "":
        raise Invalid("Name a site, or leave --site out.")
    return otherwise if word is None else word


def context_of(ctx: typer.Context) -> Context:
    """The context that the root command made."""
    made = ctx.find_root().obj
    assert isinstance(made, Context)
    return made
