import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

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


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """One free portrait as four pictures that differ as snapshots do."""
    portrait: NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    image = np.ascontiguousarray(portrait[:320, 60:380, ::-1])
    made = []
    for number, (angle, light) in enumerate([(0, 0), (3, 12), (-3, -10), (5, 5)]):
        turn = cv2.getRotationMatrix2D((160, 160), angle, 1.0)
        turned = cv2.warpAffine(image, turn, (320, 320), borderMode=cv2.BORDER_REFLECT)
        path = tmp_path / f"photo{number}.png"
        cv2.imwrite(str(path), cv2.convertScaleAbs(turned, alpha=1.0, beta=light))
        made.append(path)
    return made
