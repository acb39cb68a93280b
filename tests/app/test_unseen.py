import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from doorward.app.cli import root
from doorward.app.first_link import FILE, tell_first_link
from doorward.app.house import create_house
from tests.journeys.conftest import Answer, Terminal

LINK = "https://localhost:8443/setup#token"


@pytest.fixture
def doorward(tmp_path: Path) -> Terminal:
    """A new site."""
    create_house(tmp_path / "site").close()
    return Terminal(tmp_path / "site")


def test_names_and_plates_need_not_stand_on_the_command_line(
    doorward: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_input(lines: str, *words: str) -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        return doorward(*words)

    added = with_input("X1234567\nAda Example\n", "person", "add", "-", "--id-number", "-")
    person = added.one["person"]
    shown = with_input("Ada Example\n", "person", "show", "-", "--purpose", "guard-check").one
    assert (shown["id"], shown["name"], shown["id_number"]) == (person, "Ada Example", "X1234567")
    assert with_input("Ada Example\nKA 47 TRF\n", "vehicle", "add", "-", "--owner", "-").code == 0
    assert (
        with_input("KA 47 TRF\n", "vehicle", "show", "-", "--purpose", "guard-check").one["owner"] == person
    )
    assert doorward("group", "add", "staff").code == 0
    joined = with_input("Ada Example\nKA 47 TRF\n", "group", "join", "staff", "-", "-").one["joined"]
    assert joined[0] == person and len(joined) == 2
    refused = with_input("\n", "person", "add", "-")
    assert refused.code == 2 and "next line of standard input" in refused.aside


def test_a_line_that_comes_in_is_a_value_and_never_an_option(
    doorward: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("--help\n"))
    person = doorward("person", "add", "-").one["person"]
    assert doorward("person", "show", person, "--purpose", "guard-check").one["name"] == "--help"


@pytest.mark.parametrize(
    ("words", "typed", "echoed"),
    [(("person", "add", "-"), "Ada Example", True), (("person", "card", "Ada", "-"), "04A1B2C3", False)],
)
def test_a_terminal_is_asked_and_shows_names_but_no_numbers(
    doorward: Terminal, words: tuple[str, ...], typed: str, echoed: bool
) -> None:
    assert doorward("person", "add", "Ada").code == 0
    program = [sys.executable, "-c", "from doorward.app.cli import main; main()"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*program, *words, "--folder", str(doorward.folder)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as child:
        os.close(theirs)
        seen = _read_until(ours, b": ")
        os.write(ours, typed.encode() + b"\n")
        seen += _read_until(ours, None)
    os.close(ours)
    assert child.returncode == 0, seen
    assert (typed.encode() in seen) is echoed


def _read_until(terminal: int, mark: bytes | None) -> bytes:
    """What a terminal shows up to a mark, or to its end."""
    seen = b""
    while mark is None or not seen.endswith(mark):
        try:
            more = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if not more:
            break
        seen += more
    return seen


def test_a_card_is_given_without_its_number_on_the_command_line(tmp_path: Path) -> None:
    create_house(tmp_path / "site").close()
    site = ["--folder", str(tmp_path / "site")]
    runner = CliRunner()
    added = runner.invoke(root, [*site, "person", "add", "Ada Example"])
    assert added.exit_code == 0, added.output
    given = runner.invoke(root, [*site, "person", "card", "Ada Example", "-"], input="04A1B2C3\n")
    assert given.exit_code == 0 and "04A1B2C3" not in given.output
    again = runner.invoke(root, [*site, "person", "card", "Ada Example", "04A1B2C3"])
    assert again.exit_code != 0, "the same card is known already"


@pytest.mark.parametrize("name", ["DOORWARD_SOURCE", "DOORWARD_CARD", "DOORWARD_QR"])
def test_what_watch_reads_from_the_environment_is_no_unknown_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "secret")
    create_house(tmp_path / "site").close()


def test_the_first_link_is_told_on_a_terminal_alone(tmp_path: Path) -> None:
    assert tell_first_link(LINK, tmp_path, to_terminal=True) == ("first_administrator", LINK)
    assert not list(tmp_path.iterdir())


def test_where_nobody_reads_along_the_first_link_lies_in_a_file_of_its_owner(tmp_path: Path) -> None:
    told = tell_first_link(LINK, tmp_path, to_terminal=False)
    assert told == ("first_administrator_file", str(tmp_path / FILE))
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / FILE).read_text() == LINK + "\n"
    tell_first_link(LINK + "2", tmp_path, to_terminal=False)
    assert (tmp_path / FILE).read_text() == LINK + "2\n"
    assert tell_first_link(None, tmp_path, to_terminal=False) is None
    assert not (tmp_path / FILE).exists()
