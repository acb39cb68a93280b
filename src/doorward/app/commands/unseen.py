"""Values that must not stand on the command line, where every account of the machine can read them."""

import sys
from typing import Any

import typer

from doorward.core.errors import Invalid

FROM_INPUT = "-"
DASH = "`-` asks for it, or reads a line of standard input."


def unseen(ctx: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    """For names and plates: what was typed, or for `-` what is answered on a terminal or comes in."""
    return _each(ctx, parameter, value, hide=False)


def secret(ctx: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    """The same for cards, codes and addresses with a password, which a terminal does not show either."""
    return _each(ctx, parameter, value, hide=True)


def _each(ctx: typer.Context, parameter: typer.CallbackParam, value: Any, *, hide: bool) -> Any:
    if ctx.resilient_parsing:  # words are being completed, nothing is run
        return value
    what = (parameter.name or "value").replace("_", " ").capitalize()
    if isinstance(value, list | tuple):
        return [_one(one, what, hide=hide) for one in value]
    return _one(value, what, hide=hide)


def _one(value: Any, what: str, *, hide: bool) -> Any:
    if value != FROM_INPUT:
        return value
    if sys.stdin.isatty():
        return typer.prompt(what, hide_input=hide, err=True)
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Invalid("Nothing came in: with `-` the value is the next line of standard input.")
    return line
