from pathlib import Path

import pytest

from doorward.core.errors import Invalid
from doorward.platform.settings import load_settings


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOORWARD_SITE", "DOORWARD_DATA_DIR", "DOORWARD_WEB__PORT"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path).web.host == "127.0.0.1"


def test_the_file_in_the_folder_is_read_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doorward.toml").write_text("[web]\nport = 9000\nhost = '127.0.0.2'\n")
    monkeypatch.setenv("DOORWARD_WEB__PORT", "9001")
    web = load_settings(tmp_path).web
    assert (web.host, web.port) == ("127.0.0.2", 9001)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("typo = 1\n", "typo"),
        ("[web]\nprot = 1\n", "web.prot"),
        ("[web]\nport = 'x'\n", "web.port"),
        ("[[", "doorward.toml"),
    ],
)
def test_a_setting_that_is_unknown_or_unusable_stops_the_start(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "doorward.toml").write_text(text)
    with pytest.raises(Invalid, match=named):
        load_settings(tmp_path)


@pytest.mark.parametrize("name", ["DOORWARD_WEBB__PORT", "DOORWARD_MASTER_KEY", "DOORWARD_WEB__PROT"])
def test_an_unknown_variable_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "secret-value")
    with pytest.raises(Invalid) as told:
        load_settings(tmp_path)
    assert "secret-value" not in str(told.value)
