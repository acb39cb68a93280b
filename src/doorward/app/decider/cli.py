"""`doorward-decider`: make a decider, show its keys, serve."""

from pathlib import Path

import typer
from typer.main import get_command

from doorward.app.decider.keys import public_text_of
from doorward.app.decider.making import make_decider
from doorward.app.decider.serving import certificate_files, open_decider, serve
from doorward.core.clock import system_clock
from doorward.core.programs import run as run_program
from doorward.core.programs import say

PORT = 8445
root = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
FOLDER = typer.Argument(help="The decider's own folder.")


@root.callback()
def _decider() -> None:
    """The decider: it alone holds the templates and the keys of the gallery, and says who one is.

    It answers an id or nobody, never how like two faces are. It stands on premises, apart from the server of
    gates and people, which then holds no template. In order: `doorward keys public decider` on the server
    shows the server's key; `init` makes the decider for it; `serve` runs it; what `key` shows goes into
    [decider] of the server's doorward.toml; `doorward gallery hand-over` moves the templates of a site that
    has some. Step by step: docs/operate/decider.md. Keys, log and gallery of a decider are looked after by
    `doorward --folder FOLDER keys ...` and so on, as those of a site.

    Exit codes: 0 done or stopped; 2 a setting or an argument cannot be used; 4 it would stand open; 5 there
    is none; 6 there is one already; 7 nobody can listen there; 8 keys or records were changed; 70 a fault.
    """


@root.command("init")
def init(
    folder: Path = FOLDER,
    server: list[str] = typer.Option(
        ...,
        "--server",
        help="Public key that may ask, as `doorward keys public decider` shows it. Repeatable.",
    ),
    host: str = typer.Option("127.0.0.1", "--host", help="Address to listen on; 0.0.0.0 for every one."),
    port: int = typer.Option(PORT, "--port", min=1, max=65535, help="Port to listen on."),
    name: list[str] = typer.Option(
        [], "--name", help="Name or address by which the server reaches it, for its certificate. Repeatable."
    ),
) -> None:
    """Make a decider in a folder that has none: keys, encrypted database, settings (doorward.toml).

    Example: doorward-decider init decider --server A6EHv_POEL4d... --host 0.0.0.0 --name decider.example
    """
    house = make_decider(folder, system_clock, servers=server, host=host, port=port, names=name)
    try:
        say({"folder": str(folder), "public_key": public_text_of(house.vault)})
    finally:
        house.close()


@root.command("key")
def show_key(folder: Path = FOLDER) -> None:
    """Show what the server must be told: the decider's public keys and its certificate. Never a private key.

    Example: doorward-decider key decider
    """
    house = open_decider(folder, system_clock)
    try:
        files = certificate_files(house)
        facts = {"public_key": public_text_of(house.vault)}
        say(facts | ({"certificate": str(files[0])} if files else {}))
    finally:
        house.close()


@root.command("serve")
def run(folder: Path = FOLDER) -> None:
    """Serve until stopped by Ctrl-C or SIGTERM; one JSON line once it listens.

    Example: doorward-decider serve decider
    """
    serve(folder, system_clock, say)


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    run_program(get_command(root).main, "doorward-decider", arguments)
