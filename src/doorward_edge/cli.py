"""`doorward-edge`: make a key, check a file, stand beside a gate."""

import signal
import sys
from pathlib import Path

import typer
from typer.main import get_command

from doorward.core.programs import EXIT_CODES, say
from doorward.core.programs import run as run_program
from doorward.vision import weights
from doorward.vision.decoding import missing_walls
from doorward_edge.checking import WORKS, check_all
from doorward_edge.config import load_config
from doorward_edge.keys import load_key, make_key, public_text
from doorward_edge.passage import Decision
from doorward_edge.wiring import build_agent

root = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@root.callback()
def _agent() -> None:
    """The program beside a gate: it watches, asks the server, and moves the barrier.

    Exit codes: 0 stopped, or all that was checked works; 2 the file or an argument cannot be used; 4 denied;
    5 not found; 6 another agent runs on this state file, or it belongs to another key; 7 something needed
    does not answer; 8 the state file is damaged; 70 our mistake.
    """


@root.command()
def keygen(path: Path = typer.Argument(help="Where the new key file is to lie.")) -> None:
    """Make the agent's key and show its public half, which the server must be told."""
    say({"public_key": make_key(path)})


@root.command()
def check(path: Path = typer.Argument(help="The agent's TOML file.")) -> None:
    """Try the server, its certificate and each device that the file names, and say which worked.

    Moves nothing. Exit code 0 if all of it works, 7 if anything does not, 2 if the file cannot be used.
    """
    config = load_config(path)
    if config.models_dir is not None:
        weights.use(config.models_dir)
    key = load_key(config.key_file)
    tried = dict(check_all(config, key))
    say(
        {
            "agent": config.agent_id,
            "gate": config.gate_id,
            "public_key": public_text(key),
            "checks": tried,
        }
    )
    if set(tried.values()) != {WORKS}:
        raise typer.Exit(EXIT_CODES["unavailable"])


@root.command()
def run(
    path: Path = typer.Argument(help="The agent's TOML file."),
    new_state: bool = typer.Option(
        False,
        "--new-state",
        help="The key is new too: count from one. Without it a new state file waits for the server's word.",
    ),
) -> None:
    """Stand beside the gate until stopped by Ctrl-C or SIGTERM; one JSON line for each decision."""
    config = load_config(path)
    if config.models_dir is not None:
        weights.use(config.models_dir)
    console = Console()
    for words in missing_walls():
        console.say(f"Pictures are decoded in a weaker cage on this machine: {words}.")
    agent = build_agent(config, prompt=console, new_state=new_state)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: agent.stop())
    for decision in agent.passages():
        say(line_of(decision))
    say({"statistics": agent.post.statistics.as_facts()})


class Console:
    """Prompts for the person at the gate, on standard error."""

    def say(self, sentence: str) -> None:
        """One line."""
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()


def line_of(decision: Decision) -> dict[str, object]:
    """A decision as a program reads it: nothing in it identifies anybody."""
    return {
        "saw": list(decision.seen.kinds),
        "frames": decision.seen.frames,
        "problem": decision.seen.problem,
        "opens": decision.opens,
        "because": decision.because,
        "offline": decision.offline,
        "moved": decision.moved,
        "sequence": decision.sequence,
        "answered_ms": round(decision.answered_ms, 1),
        "total_ms": round(decision.total_ms, 1),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    run_program(get_command(root).main, "doorward-edge", arguments)
