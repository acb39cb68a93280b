"""`doorward-matcher`: make a matcher, show its key, serve."""

from pathlib import Path

import typer
from typer.main import get_command

from doorward.core.clock import system_clock
from doorward.core.key_files import load_key_file, public_text
from doorward.core.programs import run as run_program
from doorward.core.programs import say
from doorward_matcher.config import KEY_FILE, PORT, load_config
from doorward_matcher.making import make_matcher
from doorward_matcher.serving import MADE_WITH, certificate_files, serve

root = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
FOLDER = typer.Argument(help="The matcher's own folder.")


@root.callback()
def _matcher() -> None:
    """The blind matcher: it multiplies encrypted queries with encrypted blocks, and can read neither.

    It holds no key of any face, no name and no id of anybody, so it may stand on another machine or in a
    cloud. Only the deciders (Doorward servers) whose public keys it was told may ask, and they believe only
    answers that this matcher signed. In order: `doorward keys public matcher` on the server shows the
    decider's key; `init` makes the matcher for it; `serve` runs it; its public key and certificate go into
    [matcher] of the server's doorward.toml. All of it, step by step: docs/operate/matcher.md.

    Exit codes: 0 done or stopped; 2 a setting or an argument cannot be used; 4 it would stand open; 6 another
    matcher runs on the folder, or there is one already; 7 nobody can listen there; 70 our mistake.
    """


@root.command("init")
def init(
    folder: Path = FOLDER,
    decider: list[str] = typer.Option(
        ...,
        "--decider",
        help="Public key that may ask, as `doorward keys public matcher` shows it. Repeatable.",
    ),
    host: str = typer.Option("127.0.0.1", "--host", help="Address to listen on; 0.0.0.0 for every one."),
    port: int = typer.Option(PORT, "--port", min=0, max=65535, help="Port to listen on; 0 takes a free one."),
    name: list[str] = typer.Option(
        [], "--name", help="Name or address by which the server reaches it, for its certificate. Repeatable."
    ),
) -> None:
    """Make a matcher in a folder that has none: its key, its certificate, its settings (matcher.toml).

    Example: doorward-matcher init matcher --decider A6EHv_POEL4d... --host 0.0.0.0 --name matcher.example
    """
    key = make_matcher(folder, deciders=decider, host=host, port=port, names=name)
    say({"folder": str(folder), "public_key": public_text(key)})


@root.command("key")
def show_key(folder: Path = FOLDER) -> None:
    """Show what the server must be told: the matcher's public key and its certificate. Never a private key.

    Example: doorward-matcher key matcher
    """
    config = load_config(folder)
    files = certificate_files(config, folder, system_clock)
    facts = {"public_key": public_text(load_key_file(folder / KEY_FILE, made_with=MADE_WITH))}
    say(facts | ({"certificate": str(files[0])} if files else {}))


@root.command("serve")
def run(folder: Path = FOLDER) -> None:
    """Serve until stopped by Ctrl-C or SIGTERM; one JSON line once it listens.

    Example: doorward-matcher serve matcher
    """
    serve(folder, system_clock, say)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    run_program(get_command(root).main, "doorward-matcher", arguments)
