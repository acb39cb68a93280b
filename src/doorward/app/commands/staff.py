"""`doorward staff ...`: who works with this server, and as what. No password is ever typed here."""

from collections.abc import Callable

import typer

from doorward.app.address import origin
from doorward.app.commands.finding import everything
from doorward.app.commands.unseen import DASH, unseen
from doorward.app.context import Context, context_of
from doorward.app.house import House
from doorward.core.permissions import EVERY_SITE
from doorward.people.model.roles import Role
from doorward.people.model.staff import Staff
from doorward.people.service import roles as role_service
from doorward.people.service import staff as service
from doorward.people.service.staff import find_staff
from doorward.platform.db import Unit

commands = typer.Typer(no_args_is_help=True, help="Staff: invite, list, give roles, suspend, remove, reset.")
WHO = typer.Argument(help=f"The login or the id. {DASH}", callback=unseen)
SITE = typer.Option(None, help="At this site only; otherwise at every site.")
COLUMNS = ["id", "login", "name", "state", "second_factor", "roles"]


@commands.command()
def add(
    ctx: typer.Context,
    login: str = typer.Argument(
        help=f"The login: an e-mail address or a short name. {DASH}", callback=unseen
    ),
    name: str = typer.Argument(help=f"The name that colleagues see. {DASH}", callback=unseen),
    role: Role = typer.Option(help="A first role."),
    site: str = SITE,
) -> None:
    """Invite a colleague: prints a link that works once, within an hour. There they choose a password.

    Example: doorward staff add dana "Dana Example" --role guard
    """
    context = context_of(ctx)
    with context.everywhere(site) as (house, unit):
        account_id, token = service.create_staff(unit, house.vault, login=login, name=name, role=role)
    _tell_link(context, house, account_id, token)


@commands.command("list")
def list_all(ctx: typer.Context, site: str = SITE) -> None:
    """Everybody with an account. The look is written down.

    Example: doorward staff list
    """
    context = context_of(ctx)
    with context.everywhere(site) as (house, unit):
        found = everything(lambda page: service.list_staff(unit, house.vault, page), lambda one: one.id)
        rows = [_row(unit, one) for one in found]
    context.voice.table("Staff", COLUMNS, rows)


@commands.command()
def roles(
    ctx: typer.Context,
    who: str = WHO,
    give: Role = typer.Option(None, help="A role to give."),
    take: Role = typer.Option(None, help="A role to take away."),
    site: str = SITE,
) -> None:
    """What somebody is and where; gives or takes a role.

    Example: doorward staff roles dana --give reception --site site_home
    """
    context = context_of(ctx)
    with context.everywhere(site) as (house, unit):
        account_id = find_staff(unit, house.vault, who)
        if give is not None:
            role_service.give_role(unit, account_id, give)
        if take is not None:
            role_service.take_role(unit, account_id, take)
        held = service.list_roles_of(unit, account_id)
    rows = [{"role": one.role.value, "site": _where(one.site_id)} for one in held]
    context.voice.table("Roles", ["role", "site"], rows)


@commands.command()
def suspend(ctx: typer.Context, who: str = WHO) -> None:
    """Let nobody in by this account for now; sessions end, keys made with it stop, roles stay.

    Example: doorward staff suspend dana
    """
    said = "Suspended; `doorward staff resume` ends it."
    _change(ctx, who, service.suspend_account, state="suspended", said=said)


@commands.command()
def resume(ctx: typer.Context, who: str = WHO) -> None:
    """Let the account's owner sign in again.

    Example: doorward staff resume dana
    """
    _change(ctx, who, service.resume_account, state="open", said="Open again.")


@commands.command()
def remove(ctx: typer.Context, who: str = WHO) -> None:
    """Close an account for good: sessions, factors and roles go; the log keeps its id.

    Example: doorward staff remove dana
    """
    _change(ctx, who, service.close_account, state="closed", said="Closed.")


@commands.command()
def reset(ctx: typer.Context, who: str = WHO) -> None:
    """Void password and second factors, and print a link to begin again: works once, within an hour.

    Example: doorward staff reset dana
    """
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        account_id = find_staff(unit, house.vault, who)
        token = service.reset_account(unit, house.vault, account_id)
    _tell_link(context, house, account_id, token)


def _change(
    ctx: typer.Context, who: str, deed: Callable[[Unit, str], None], *, state: str, said: str
) -> None:
    context = context_of(ctx)
    with context.everywhere() as (house, unit):
        account_id = find_staff(unit, house.vault, who)
        deed(unit, account_id)
    context.voice.answer({"id": account_id, "state": state}, said)


def _tell_link(context: Context, house: House, account_id: str, token: str) -> None:
    link = f"{origin(house.settings.web)}/welcome#{token}"
    context.voice.answer({"id": account_id, "link": link}, f"Hand this over (once, within an hour): {link}")


def _row(unit: Unit, one: Staff) -> dict[str, object]:
    held = service.list_roles_of(unit, one.id)
    return {
        "id": one.id,
        "login": one.login,
        "name": one.name,
        "state": _state(one),
        "second_factor": one.has_second_factor,
        "roles": [f"{each.role} ({_where(each.site_id)})" for each in held],
    }


def _state(one: Staff) -> str:
    if one.closed:
        return "closed"
    if one.suspended:
        return "suspended"
    return "open" if one.has_password else "invited"


def _where(site_id: str) -> str:
    return "every site" if site_id == EVERY_SITE else site_id
