import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
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
    """The command line in this very process, on one site."""

    folder: Path

    def __call__(self, *words: str) -> Answer:
        code, out, aside = self.plain(*words, "--json")
        return Answer(code, [json.loads(line) for line in out.splitlines()], aside)

    def plain(self, *words: str) -> tuple[int, str, str]:
        """The same as people see it."""
        out, aside = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(aside), pytest.raises(SystemExit) as left:
            main([*words, "--folder", str(self.folder)])
        return int(left.value.code or 0), out.getvalue(), aside.getvalue()


def copied(site: Path, to: Path) -> Terminal:
    """The commands on a site that was made before: copying one is quicker than making one."""
    shutil.copytree(site, to)
    return Terminal(to)


@pytest.fixture(scope="session")
def new_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A site nobody has touched; copy it."""
    mask = os.umask(0o077)
    folder = tmp_path_factory.mktemp("made") / "site"
    assert Terminal(folder)("init").code == 0
    yield folder
    os.umask(mask)


@pytest.fixture
def doorward(new_site: Path, tmp_path: Path) -> Terminal:
    """A new site, and the commands on it."""
    return copied(new_site, tmp_path / "site")
