"""`doorward api-key ...`: keys by which programs call the server."""

from datetime import timedelta

import typer

from doorward.app.commands.finding import everything
from doorward.app.context import context_of
from doorward.core.permissions import Permission
from doorward.people.model.api_keys import ApiKeyView
from doorward.people.service import api_keys as service

commands = typer.Typer(no_args_is_help=True, help="API keys: for programs, scoped to rights and sites.")
COLUMNS = ["id", "label", "state", "expires_at", "used_at", "rights", "networks"]


@commands.command()
def add(
    ctx: typer.Context,
    label: str = typer.Argument(help="What the key is for."),
    right: list[Permission] = typer.Option(help="A right it has; repeat for more."),
    site: list[str] = typer.Option(None, help="A site where it has them; the home site if left out."),
    days: int = typer.Option(90, min=1, max=800, help="When it ends, in days."),
    network: list[str] = typer.Option(
        None, help="Where it may call from, such as 10.1.0.0/16; else anywhere."
    ),
) -> None:
    """Make a key. Its secret is printed this once: it goes into the header `Authorization: Bearer ...`.

    Example: doorward api-key add "north gate" --right gates:sight --days 365
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        key_id, token = service.make_api_key(
            unit,
            house.vault,
            label=label,
            rights={one: frozenset(right) for one in site or [house.site_id]},
            expires_at=unit.now + timedelta(days=days),
            networks=network or (),
        )
    context.voice.answer({"id": key_id, "token": token}, f"{key_id}, shown this once:\n{token}")


@commands.command("list")
def list_all(ctx: typer.Context) -> None:
    """Every key, without its secret.

    Example: doorward api-key list
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        found = everything(
            lambda page: service.list_api_keys(unit, house.vault, page), lambda one: one.key.id
        )
        rows = [_row(one, is_over=unit.now >= one.key.expires_at) for one in found]
    context.voice.table("API keys", COLUMNS, rows)


@commands.command()
def revoke(ctx: typer.Context, key: str = typer.Argument(help="The key's id, as listed.")) -> None:
    """End a key at once.

    Example: doorward api-key revoke key_7k3q
    """
    context = context_of(ctx)
    with context.everywhere() as (_, unit):
        service.revoke_api_key(unit, key)
    context.voice.answer({"id": key, "state": "revoked"}, "Revoked.")


def _row(view: ApiKeyView, *, is_over: bool) -> dict[str, object]:
    key = view.key
    return {
        "id": key.id,
        "label": view.label,
        "state": "revoked" if key.revoked else "over" if is_over else "open",
        "expires_at": key.expires_at,
        "used_at": key.used_at,
        "rights": [f"{right} ({site})" for site, held in key.rights.items() for right in sorted(held)],
        "networks": list(key.networks),
    }
