"""`doorward approval ...`: what waits for a second person. To approve takes one who is signed in."""

import typer

from doorward.app.commands.finding import everything
from doorward.app.context import context_of, site_named
from doorward.app.house import CONSOLE
from doorward.people.service import approvals as service

commands = typer.Typer(no_args_is_help=True, help="Approvals: deeds that wait for a second person.")
COLUMNS = ["id", "action", "facts", "proposed_by", "approved_by", "expires_at"]


@commands.command("list")
def list_all(
    ctx: typer.Context,
    site: str = typer.Option(
        None, help="The site; the home site if left out, * for what concerns every site."
    ),
) -> None:
    """Open proposals. The console needs none for itself, and gives none: a second person signs in for that.

    What it does alone is in the log: doorward audit list --event approval.waived

    Example: doorward approval list --site "*"
    """
    context = context_of(ctx)
    with context.house() as house:
        where = site_named(site, otherwise=house.site_id)
        with house.database.reading(CONSOLE, where) as unit:
            found = list(everything(lambda page: service.list_approvals(unit, page), lambda one: one.id))
    rows = [
        {
            "id": one.id,
            "action": one.action.value,
            "facts": [f"{name}: {value}" for name, value in one.facts.items()],
            "proposed_by": one.proposed_by,
            "approved_by": one.approved_by,
            "expires_at": one.expires_at,
        }
        for one in found
    ]
    context.voice.table("Approvals", COLUMNS, rows)
