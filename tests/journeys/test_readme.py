"""The README's first ten minutes, typed as they stand there."""

import re
import shlex
from pathlib import Path

import pytest

from doorward.app.cli import main

README = Path(__file__).parents[2] / "README.md"


def steps() -> list[tuple[list[str], str]]:
    """The words of each command, and what its comment promises."""
    chapter = README.read_text().split("## Ten minutes with your own photos")[1]
    block = re.findall(r"```sh\n(.*?)```", chapter, flags=re.DOTALL)[0]
    lines = [line.partition("#") for line in block.splitlines() if line.startswith("doorward ")]
    return [(shlex.split(before)[1:], after.strip()) for before, _, after in lines]


def test_the_first_ten_minutes_go_as_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    walked = steps()
    assert len(walked) > 12
    for words, promise in walked:
        with pytest.raises(SystemExit) as ended:
            main(words)
        said = capsys.readouterr().out
        expected = re.match(r"OPEN [\w-]+|SHUT [\w-]+|The log is whole", promise)
        if expected:
            assert expected[0] in said, (words, said)
        assert ended.value.code == (1 if promise.startswith("SHUT") else 0), (words, said)
