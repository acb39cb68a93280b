"""`doorward person card, qr, pin, ...`: what somebody may show, given and taken."""

from pathlib import Path

import typer

from doorward.app.commands.files import draw_code, require_picture
from doorward.app.commands.finding import person_of
from doorward.app.commands.people import NAME, commands
from doorward.app.commands.unseen import DASH, secret
from doorward.app.context import context_of
from doorward.people.service import (
    add_card,
    has_pin,
    issue_qr,
    list_credentials,
    remove_credential,
    remove_pin,
    set_pin,
    withdraw_face,
)

person_commands = commands  # the whole of `doorward person`, these included


@commands.command()
def card(
    ctx: typer.Context,
    name: str = NAME,
    number: str = typer.Argument(help=f"The card's number. {DASH}", callback=secret),
) -> None:
    """Give a card: the equal path for whoever wants no face enrolled.

    Example: doorward person card "Ada Example" 04A1B2C3

    Example: doorward person card "Ada Example" -
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        made = add_card(unit, house.vault, person_of(house, unit, name), number)
    context.voice.answer({"card": made}, "The card works from now on.")


@commands.command()
def qr(
    ctx: typer.Context,
    name: str = NAME,
    out: Path = typer.Option(help="Where to write the picture (.svg or .png)."),
) -> None:
    """Draw a fresh QR code; codes drawn before stop working.

    Example: doorward person qr "Ada Example" --out ada.svg
    """
    context = context_of(ctx)
    require_picture(out)
    with context.site() as (house, unit):
        draw_code(issue_qr(unit, house.vault, person_of(house, unit, name)), out)
    context.voice.answer({"written": str(out)}, f"The code is in {out}: hand it over and delete the file.")


@commands.command()
def pin(
    ctx: typer.Context,
    name: str = NAME,
    duress: bool = typer.Option(
        False, "--duress", help="Ask for a second PIN that opens alike and raises a silent alarm."
    ),
    remove: bool = typer.Option(False, "--remove", help="Take the PIN away instead."),
) -> None:
    """Set a PIN, asked for twice and never shown; without a terminal it is a line of standard input.

    Example: doorward person pin "Ada Example" --duress
    """
    context = context_of(ctx)
    if remove:
        with context.site() as (house, unit):
            remove_pin(unit, person_of(house, unit, name))
        context.voice.answer({"pin": "removed"}, "The PIN is gone.")
        return
    chosen = context.voice.ask_unseen("PIN", twice=True)
    forced = context.voice.ask_unseen("PIN under duress", twice=True) if duress else None
    with context.site() as (house, unit):
        set_pin(unit, house.vault, person_of(house, unit, name), chosen, duress=forced)
    context.voice.answer({"pin": "set"}, "The PIN is set.")


@commands.command("credentials")
def list_all(ctx: typer.Context, name: str = NAME) -> None:
    """What somebody may show, by id and kind; numbers are never told.

    Example: doorward person credentials "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        person_id = person_of(house, unit, name)
        rows = [{"kind": kind, "id": made} for made, kind in list_credentials(unit, person_id)]
        rows += [{"kind": "pin", "id": ""}] if has_pin(unit, person_id) else []
    none = "None: give a card, a code or a PIN."
    context.voice.table("Credentials", ["kind", "id"], rows, none=none)


@commands.command()
def take(
    ctx: typer.Context,
    name: str = NAME,
    credential: str = typer.Argument(help="The card's or code's id, as `person credentials` shows it."),
) -> None:
    """Take a card or code away: it stops working at once.

    Example: doorward person take "Ada Example" card_7k3q9x2m4c5v8b1n
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        remove_credential(unit, person_of(house, unit, name), credential)
    context.voice.answer({"removed": credential}, "It stops working now.")


@commands.command("withdraw-face")
def withdraw(ctx: typer.Context, name: str = NAME) -> None:
    """Forget a face at once; cards, codes and PINs keep working.

    Example: doorward person withdraw-face "Ada Example"
    """
    context = context_of(ctx)
    with context.site() as (house, unit):
        withdraw_face(unit, house.recogniser, person_of(house, unit, name))
    context.voice.answer({"face": "forgotten"}, "The face is forgotten.")
