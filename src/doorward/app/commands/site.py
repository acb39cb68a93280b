"""`doorward init`: a site on this machine."""

import typer

from doorward.app.context import context_of
from doorward.app.house import create_house


def init(ctx: typer.Context) -> None:
    """Make a new site in --folder: its keys, its encrypted database, its first audit entry."""
    context = context_of(ctx)
    house = create_house(context.folder)
    for warning in house.warnings:
        context.voice.aside(warning)
    facts = {"folder": str(context.folder), "site": house.site_id}
    context.voice.answer(facts, f"A site is ready in {context.folder}. Next: doorward enrol NAME PHOTO...")
    house.close()
