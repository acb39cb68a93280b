"""The program refuses to start exposed, in a sentence, with a code; and says what the server must be told."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.matcher.world import Decider, Running, run

Spoil = Callable[[Path], object]


def setting(line: str) -> Spoil:
    return lambda folder: _replaced(folder, "host = ", f"{line}\nhost = ")


REFUSALS: list[tuple[str, Spoil, int, str]] = [
    (
        "open",
        lambda folder: _replaced(folder, 'host = "127.0.0.1"', 'tls = false\nhost = "0.0.0.0"'),
        4,
        "loopback only",
    ),
    ("stranger", setting("treads = 2"), 2, "treads"),
    ("range", setting("threads = -1"), 2, "threads"),
    ("certificate", setting('certificate = "a.pem"'), 2, "both certificate and private_key"),
    ("authority", setting('client_authority = "gone.pem"'), 2, "no file"),
    ("not-toml", setting("= ="), 2, "not TOML"),
    ("nobody", lambda folder: _replaced(folder, "deciders = [", "deciders = []\n# ["), 2, "Nobody may ask"),
    ("no-key", lambda folder: _replaced(folder, 'deciders = ["', 'deciders = ["x'), 2, "deciders must be"),
    ("world-key", lambda folder: (folder / "matcher-key.pem").chmod(0o644), 2, "chmod 600"),
    ("gone-key", lambda folder: (folder / "matcher-key.pem").unlink(), 2, "is gone"),
    ("no-key-in-it", lambda folder: (folder / "matcher-key.pem").write_text("x"), 2, "no private key"),
    ("world-blocks", lambda folder: (folder / "blocks").chmod(0o755), 2, "chmod 700"),
    ("world-settings", lambda folder: (folder / "matcher.toml").chmod(0o666), 2, "chmod go-w"),
    ("world-folder", lambda folder: folder.chmod(0o777), 2, "chmod go-w"),
]


def _replaced(folder: Path, before: str, after: str) -> None:
    path = folder / "matcher.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


@pytest.mark.parametrize(
    ("spoil", "code", "why"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_it_refuses_to_start(tmp_path: Path, decider: Decider, spoil: Spoil, code: int, why: str) -> None:
    running = Running.make(tmp_path / "m", decider)
    spoil(running.folder)
    done = run("serve", running.folder)
    assert (done.returncode, done.stdout) == (code, "")
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_init_writes_what_is_its_owners_alone_and_never_twice(tmp_path: Path, decider: Decider) -> None:
    folder = tmp_path / "m"
    made = run("init", folder, "--decider", decider.public)
    assert made.returncode == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in [folder, *folder.rglob("*")])
    key = (folder / "matcher-key.pem").read_bytes()
    again = run("init", folder, "--decider", decider.public)
    assert (again.returncode, (folder / "matcher-key.pem").read_bytes()) == (6, key)
    assert run("init", tmp_path / "n", "--decider", "nonsense").returncode == 2
    shown = run("key", folder)
    assert json.loads(shown.stdout)["public_key"] == json.loads(made.stdout)["public_key"]
    assert "PRIVATE" not in shown.stdout + made.stdout


def test_there_is_no_matcher_in_a_folder_without_one(tmp_path: Path) -> None:
    done = run("serve", tmp_path)
    assert done.returncode == 2
    assert "doorward-matcher init" in done.stderr


def test_a_second_matcher_on_a_folder_is_refused(running: Running) -> None:
    done = run("serve", running.folder)
    assert done.returncode == 6
    assert "already" in done.stderr


def test_a_taken_port_is_told(tmp_path: Path, decider: Decider, running: Running) -> None:
    another = Running.make(tmp_path / "m", decider)
    _replaced(another.folder, "port = 0", f"port = {running.port}")
    done = run("serve", another.folder)
    assert (done.returncode, "Nobody can listen" in done.stderr) == (7, True)


def test_it_stops_when_told_to(tmp_path: Path, decider: Decider) -> None:
    running = Running.make(tmp_path / "m", decider).start()
    assert running.process is not None
    running.process.terminate()
    out, err = running.process.communicate(timeout=20)
    assert (out, err) == ("", "")
    assert isinstance(running.process, subprocess.Popen)


@pytest.mark.parametrize("words", [[], ["init"], ["serve"], ["key"]])
def test_help_teaches(words: list[str]) -> None:
    told = run(*words, "--help")
    assert told.returncode == 0
    assert ("Example: doorward-matcher" in told.stdout) == bool(words)
