import io
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from doorward.app.cli import root
from doorward.app.reference import pages
from doorward.app.reference.commands import all_commands, examples_of
from doorward.app.reference.events import all_events
from doorward.app.reference.routes import all_routes
from doorward.core.permissions import ALLOWS, Permission

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
COMMANDS = {words: (command, panel) for words, command, panel in all_commands()}


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_reference_is_fresh(name: str) -> None:
    written = (REFERENCE / name).read_text(encoding="utf-8") if (REFERENCE / name).exists() else ""
    assert written == pages()[name], "run `make reference`"


def test_the_reference_holds_no_page_that_nobody_writes() -> None:
    assert {page.name for page in REFERENCE.glob("*.md")} == set(pages())


def test_each_right_says_in_one_sentence_what_it_allows() -> None:
    assert set(ALLOWS) == set(Permission)
    assert all(said.endswith(".") for said in ALLOWS.values())


def test_each_route_says_what_it_does_and_whom_it_serves() -> None:
    assert not [route for route in all_routes() if not route.summary or not route.needs]


def test_each_event_of_the_log_can_be_told_from_the_source() -> None:
    events = all_events()
    assert {"gate.decided", "gate.opened", "order.given", "zone.set", "zone.reached"} <= events.keys()
    assert not [name for name, event in events.items() if not any(event.deeds)]


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an example reads in place of a dash."""
    monkeypatch.setattr("sys.stdin", io.StringIO("a line\n" * 9))


@pytest.mark.parametrize("words", sorted(COMMANDS))
def test_each_command_stands_in_a_panel_and_teaches_by_an_example_that_works(words: str) -> None:
    command, panel = COMMANDS[words]
    assert panel != "None"
    examples = examples_of(command)
    assert examples
    for example in examples:
        assert _understood(shlex.split(example)) == f"doorward {words}"


@pytest.mark.parametrize("page", ["README.md", "docs/operate/command-line.md"])
def test_each_command_that_a_page_shows_would_be_understood(page: str) -> None:
    blocks = (ROOT / page).read_text(encoding="utf-8").split("```sh\n")[1:]
    lines = [line for block in blocks for line in block.split("```")[0].splitlines()]
    typed = [part.strip() for line in lines for part in line.split(" && ") if part.startswith("doorward ")]
    assert len(typed) > 8
    for command in typed:
        assert _understood(shlex.split(command, comments=True)), command


def _understood(typed: list[str]) -> str:
    """The command that these words would run, with every argument and option read; nothing is run."""
    context: Any = get_command(root).make_context("doorward", typed[1:])
    while rest := [*context._protected_args, *context.args]:
        name, command, left = context.command.resolve_command(context, rest)
        context = command.make_context(name, left, parent=context)
        if not hasattr(command, "commands"):
            return str(context.command_path)
    return ""
