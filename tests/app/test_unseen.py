import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from doorward.app.cli import root
from doorward.app.commands.unseen import unseen
from doorward.app.first_link import FILE, tell_first_link
from doorward.app.house import create_house
from doorward.core.errors import Invalid

LINK = "https://localhost:8443/setup#token"


def test_a_dash_stands_for_the_next_line_of_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("rtsp://u:p@camera/1\n04A1B2C3\n"))
    assert [unseen("-"), unseen("camera:0"), unseen("-")] == ["rtsp://u:p@camera/1", "camera:0", "04A1B2C3"]
    with pytest.raises(Invalid):
        unseen("-")


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
