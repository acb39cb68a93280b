import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorward.app.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code, its JSON lines, and what it said aside."""

    code: int
    lines: list[dict[str, Any]]
    aside: str

    @property
    def one(self) -> dict[str, Any]:
        """The only line of a command that was done."""
        assert self.code == 0, self.aside
        assert len(self.lines) == 1, self.lines
        return self.lines[0]


@dataclass(frozen=True)
class Terminal:
    """The command line in this very process, on a site of its own."""

    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Answer:
        code, out, aside = self.plain(*words, "--json")
        return Answer(code, [json.loads(line) for line in out.splitlines()], aside)

    def plain(self, *words: str) -> tuple[int, str, str]:
        """The same as people see it."""
        with pytest.raises(SystemExit) as left:
            main([*words, "--folder", str(self.folder)])
        out, aside = self.capture.readouterr()
        return int(left.value.code or 0), out, aside


@pytest.fixture
def doorward(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    """A new site, and the commands on it."""
    mask = os.umask(0o077)
    terminal = Terminal(tmp_path / "site", capsys)
    assert terminal("init").code == 0
    yield terminal
    os.umask(mask)
