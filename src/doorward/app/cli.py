"""The command line's front door: options that may stand anywhere, errors as sentences, exit codes."""

import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from doorward.app.commands import audit, explain, gates, models, people, server, site, watch
from doorward.app.console import Voice
from doorward.app.context import Context
from doorward.app.problems import EXIT_CODES, INTERNAL_EXIT
from doorward.core.errors import DoorwardError

EXIT_HELP = (
    "Exit codes: 0 done (and for watch: at least one opening), 1 done but nothing opened, 2 unusable input "
    "or setting, 4 not allowed, 5 no such thing, 6 does not fit the present state, 7 something needed did "
    "not answer, 8 stored bytes failed their proof, 70 our mistake."
)

root = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Doorward opens doors and barriers for the people and vehicles it knows. "
    "--folder and --json may stand anywhere in a command.",
    epilog=EXIT_HELP,
)
root.command("init")(site.init)
root.command("enrol")(people.enrol)
root.command("grant")(gates.grant)
root.command("watch")(watch.watch)
root.command("events")(gates.events)
root.command("explain")(explain.explain)
root.command("serve")(server.serve)
root.command("demo")(server.demo)
root.add_typer(gates.gate_commands, name="gate")
root.add_typer(gates.vehicle_commands, name="vehicle")
root.add_typer(people.commands, name="person")
root.add_typer(audit.commands, name="audit")
root.add_typer(models.commands, name="models")


@root.callback()
def _common(
    ctx: typer.Context,
    folder: Path = typer.Option(
        Path("doorward-site"), "--folder", envvar="DOORWARD_FOLDER", help="The folder of the site."
    ),
    as_json: bool = typer.Option(False, "--json", help="Answer in JSON, one object a line."),
) -> None:
    ctx.obj = Context(folder, Voice(as_json=as_json))


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    words = _common_first(sys.argv[1:] if arguments is None else arguments)
    os.umask(0o077)  # whatever we write is for its owner alone
    command: Any = get_command(root)
    try:
        command.main(words, prog_name="doorward")
    except DoorwardError as error:
        Voice(as_json="--json" in words).complain(error.code, str(error))
        sys.exit(EXIT_CODES.get(error.code, INTERNAL_EXIT))


def _common_first(words: list[str]) -> list[str]:
    """Move --json and --folder to the front, where the root command reads them."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word == "--json" or word.startswith("--folder="):
            front.append(word)
        elif word == "--folder":
            front += [word, *([value] if (value := next(waiting, None)) is not None else [])]
        else:
            rest.append(word)
    return front + rest
