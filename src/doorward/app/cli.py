"""The command line's front door: options that may stand anywhere, errors as sentences, exit codes."""

import sys
import traceback
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from doorward.app.commands import (
    agents,
    alarms,
    api_keys,
    approvals,
    audit,
    credentials,
    enrolling,
    explain,
    gallery,
    gates,
    grants,
    groups,
    handing_over,
    keys,
    levels,
    matcher,
    models,
    orders,
    passing,
    rollcalls,
    samples,
    schedules,
    server,
    site,
    staff,
    vehicles,
    visitors,
    watch,
    zones,
)
from doorward.app.console import Voice
from doorward.app.context import Context
from doorward.core.errors import DoorwardError
from doorward.core.programs import EXIT_CODES, INTERNAL_EXIT, keep_to_oneself

EXIT_MEANINGS = {
    0: "done (and for watch: at least one opening)",
    1: "done but nothing opened, or broken off",
    2: "unusable input or setting",
    4: "not allowed",
    5: "no such thing",
    6: "does not fit the present state",
    7: "something needed did not answer",
    8: "stored bytes failed their proof",
    INTERNAL_EXIT: "our mistake",
}
EXIT_HELP = "Exit codes: " + ", ".join(f"{code} {means}" for code, means in EXIT_MEANINGS.items()) + "."
# What one wants to do; the order in which help shows them.
SET_UP = "Set up the site"
WHO = "People and vehicles"
ADMISSION = "Who may pass"
WATCH = "Watch the gates"
STEP_IN = "Step in"
GUARD = "Staff and keys"
PROVE = "Prove and explain"
RUN = "Run"

root = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Doorward opens doors and barriers for the people and vehicles it knows. "
    "--folder and --json may stand anywhere in a command. Each command's --help shows an example. "
    "Others on this machine can read a command line while it runs: write - in place of a name, a plate or a "
    "number, and it is asked for, or read from standard input (a line each, those of options first).",
    epilog=EXIT_HELP,
)
root.command("init", rich_help_panel=SET_UP)(site.init)
root.add_typer(site.commands, name="site", rich_help_panel=SET_UP)
root.add_typer(gates.commands, name="gate", rich_help_panel=SET_UP)
root.add_typer(zones.commands, name="zone", rich_help_panel=SET_UP)
root.add_typer(levels.commands, name="level", rich_help_panel=SET_UP)
root.add_typer(schedules.commands, name="schedule", rich_help_panel=SET_UP)
root.add_typer(agents.commands, name="agent", rich_help_panel=SET_UP)
root.command("enrol", rich_help_panel=WHO)(enrolling.enrol)
root.command("enrol-folder", rich_help_panel=WHO)(enrolling.enrol_folder)
root.add_typer(credentials.person_commands, name="person", rich_help_panel=WHO)
root.add_typer(groups.commands, name="group", rich_help_panel=WHO)
root.add_typer(visitors.commands, name="visitor", rich_help_panel=WHO)
root.add_typer(vehicles.commands, name="vehicle", rich_help_panel=WHO)
root.command("grant", rich_help_panel=ADMISSION)(grants.grant)
root.command("grants", rich_help_panel=ADMISSION)(grants.grants)
root.command("revoke", rich_help_panel=ADMISSION)(grants.revoke)
root.command("watch", rich_help_panel=WATCH)(watch.watch)
root.command("events", rich_help_panel=WATCH)(passing.events)
root.command("why", rich_help_panel=WATCH)(passing.why)
root.command("inside", rich_help_panel=WATCH)(passing.inside)
root.command("doors", rich_help_panel=WATCH)(passing.doors)
root.add_typer(alarms.commands, name="alarm", rich_help_panel=WATCH)
root.command("open", rich_help_panel=STEP_IN)(orders.open_gate)
root.command("lock", rich_help_panel=STEP_IN)(orders.lock)
root.command("unlock", rich_help_panel=STEP_IN)(orders.unlock)
root.command("lockdown", rich_help_panel=STEP_IN)(orders.lockdown)
root.command("evacuate", rich_help_panel=STEP_IN)(orders.evacuate)
root.command("fire", rich_help_panel=STEP_IN)(orders.fire)
root.command("orders", rich_help_panel=STEP_IN)(orders.orders)
root.command("release", rich_help_panel=STEP_IN)(orders.release)
root.command("forgive", rich_help_panel=STEP_IN)(orders.forgive)
root.command("place", rich_help_panel=STEP_IN)(orders.place)
root.add_typer(rollcalls.commands, name="rollcall", rich_help_panel=STEP_IN)
root.add_typer(staff.commands, name="staff", rich_help_panel=GUARD)
root.add_typer(api_keys.commands, name="api-key", rich_help_panel=GUARD)
root.add_typer(approvals.commands, name="approval", rich_help_panel=GUARD)
root.add_typer(keys.commands, name="keys", rich_help_panel=GUARD)
gallery.commands.command("hand-over")(handing_over.hand_over)
root.add_typer(gallery.commands, name="gallery", rich_help_panel=GUARD)
root.add_typer(audit.commands, name="audit", rich_help_panel=PROVE)
root.command("samples", rich_help_panel=PROVE)(samples.samples)
root.command("explain", rich_help_panel=PROVE)(explain.explain)
root.command("serve", rich_help_panel=RUN)(server.serve)
root.command("demo", rich_help_panel=RUN)(server.demo)
root.add_typer(models.commands, name="models", rich_help_panel=RUN)
root.add_typer(matcher.commands, name="matcher", rich_help_panel=RUN)


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
    keep_to_oneself()
    as_json = "--json" in words[: words.index("--") if "--" in words else None]
    voice = Voice(as_json=as_json)
    command: Any = get_command(root)
    try:
        # For people a misspelt option is drawn by the library; for programs it is a problem like any other.
        sys.exit(command.main(words, prog_name="doorward", standalone_mode=not as_json))
    except typer.TyperException as error:
        voice.complain("invalid", error.format_message())
        sys.exit(EXIT_CODES["invalid"])
    except typer.Abort:
        voice.complain("aborted", "Broken off: nothing more was done.")
        sys.exit(1)
    except DoorwardError as error:
        voice.complain(error.code, str(error))
        sys.exit(EXIT_CODES.get(error.code, INTERNAL_EXIT))
    except Exception as error:  # the edge of the program: where it broke is told, what it held is not
        voice.complain("internal", f"Our mistake: nothing of this step was kept. {_place(error)}")
        sys.exit(INTERNAL_EXIT)


def _place(error: Exception) -> str:
    """Kind and line of an error; its message may hold personal data and stays unsaid."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}."


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
            value = next(waiting, None)
            if value is None:
                return [*front, word]  # so that its missing value is what is complained of
            front += [word, value]
        else:
            rest.append(word)
    return front + rest
