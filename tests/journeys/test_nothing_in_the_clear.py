"""A day at the demo's site, then every byte it left is searched for everything personal it was told."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from doorward.vision.faces.rendering import render_person

from . import traces

ROOT = Path(__file__).parents[2]
WORDS = {"name", "card", "plate", "ID number", "QR code", "login", "password", "label", "reason", "session"}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, bytes]]]:
    """Everything the day left on its disk, and everything it was told."""
    left = tmp_path_factory.mktemp("day")
    for name in ("tmp", "home"):
        (left / name).mkdir()
    command = [sys.executable, "-m", "tests.journeys.day", str(left / "site"), str(left / "export")]
    elsewhere = {"TMPDIR": str(left / "tmp"), "HOME": str(left / "home"), "PYTHONPATH": f"{ROOT / 'src'}"}
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | elsewhere, capture_output=True, timeout=110, check=False
    )
    assert ended.returncode == -9, ended.stderr.decode()[-3000:]
    (left / "stderr.log").write_bytes(ended.stderr)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    return left, [(kind, base64.b64decode(content)) for kind, content in lines]


def forms_of(kind: str, told: bytes) -> set[bytes]:
    if kind == "template":
        return set(traces.of_template(np.frombuffer(told, "<f4")))
    if kind == "picture":
        return set(traces.of_bytes(told))
    return set(traces.of_word(told.decode()))


def search(left: Path, told: list[tuple[str, bytes]]) -> set[str]:
    """Kind of thing and name of the file, wherever one of its forms lies."""
    files = [path for path in left.rglob("*") if path.is_file()]
    contents = {path.name: path.read_bytes() + str(path.relative_to(left)).encode() for path in files}
    return {
        f"{kind} in {name}"
        for kind, content in told
        for form in forms_of(kind, content)
        if len(form) >= 6
        for name, held in contents.items()
        if form in held
    }


def test_a_day_leaves_nothing_personal_on_the_disk(day: tuple[Path, list[tuple[str, bytes]]]) -> None:
    left, told = day
    kinds = [kind for kind, _ in told]
    assert kinds.count("template") > 30 and kinds.count("picture") > 10 and set(kinds) >= WORDS
    names = {path.name for path in left.rglob("*") if path.is_file()}
    assert any(name.endswith("-wal") for name in names), (
        "the process was killed: its log of writes lies there"
    )
    assert {"doorward.db", "keyring.json", "entries.jsonl", "debug.log"} <= names
    assert search(left, told) == set()


def test_a_day_leaves_no_temporary_files(day: tuple[Path, list[tuple[str, bytes]]]) -> None:
    left, _ = day
    assert [path.name for path in (left / "tmp").rglob("*") if path.is_file()] == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    word, template = "Ada Lovelace", np.linspace(-0.3, 0.2, 128, dtype=np.float32)
    picture = render_person(3).tobytes()
    hidden = {
        "raw": word.encode(),
        "utf-16": word.encode("utf-16-le"),
        "hex": word.upper().encode().hex().encode(),
        "base64": base64.b64encode(b"x" + word.encode() + b"y"),
        "template": template.astype("<f8").tobytes(),
        "template in base64": base64.urlsafe_b64encode(b"zz" + template.tobytes()),
        "picture in hex": picture.hex().encode(),
        "Ada%20Lovelace": b"",
    }
    told = [("name", word.encode()), ("template", template.tobytes()), ("picture", picture)]
    for name, content in hidden.items():
        (tmp_path / name).write_bytes(b"..." + content + b"...")
    found = search(tmp_path, told)
    assert len(found) == len(hidden), found
