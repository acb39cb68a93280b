"""The page docs/operate/edge-agent.md, followed to the letter: a real server, a real agent, a card."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.conftest import Terminal, copied

ROOT = Path(__file__).parents[2]
CARD = "04A1B2C3"
PATIENCE = 60
GATE = """
agent_id = "{agent}"
gate_id = "{gate}"
key_file = "gate.key"
state_file = "gate.state"
expects = ["card"]
retry_seconds = 0.5

[server]
url = "https://localhost:{port}"
site_id = "{site}"
public_key = "{key}"
certificate = "server.pem"
api_key_file = "gate.api-key"

[barrier]
kind = "relay"
device = "{folder}/relay"
on = "31"
off = "30"
relocks = true

[[readers]]
device = "{reader}"

[[inputs]]
kind = "files"
device = "{folder}"

[[inputs.contacts]]
name = "leaf"
means = "door"

[[inputs.contacts]]
name = "panel"
means = "fire"
"""


@contextmanager
def program(module: str, words: list[str], folder: Path, **more: str) -> Iterator["subprocess.Popen[str]"]:
    """A process of ours until the block ends."""
    code = f"import sys; from {module} import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.environ["PATH"]} | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # A process that never answers must not keep the test for ever.
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=30)
        finally:
            watchdog.cancel()


def a_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def lines_of(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)


@contextmanager
def serving(terminal: Terminal, port: int) -> Iterator[None]:
    folder = str(terminal.folder)
    with program(
        "doorward.app.cli",
        ["--folder", folder, "--json", "serve"],
        terminal.folder,
        DOORWARD_WEB__PORT=str(port),
    ) as server:
        next(lines_of(server))
        yield


@pytest.fixture
def reader() -> Iterator[tuple[int, str]]:
    ours, agents = pty.openpty()
    tty.setraw(agents)
    yield ours, os.ttyname(agents)
    os.close(ours)
    os.close(agents)


def edge(folder: Path, *words: str) -> tuple[int, dict[str, Any]]:
    with program("doorward_edge.cli", list(words), folder) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, json.loads(out.splitlines()[-1])


def follow_the_page(terminal: Terminal, here: Path, port: int, reader: str) -> None:
    """Steps 1 to 5."""
    for words in (["person", "add", "Ada"], ["person", "card", "Ada", CARD], ["grant", "Ada", "front"]):
        assert terminal(*words).code == 0
    _, made = edge(here, "keygen", "gate.key")
    added = terminal("agent", "add", "front-box", "front", "--key", made["public_key"]).one
    api_key = terminal("api-key", "add", "front-box", "--right", "gates:sight", "--days", "365").one
    (here / "gate.api-key").write_text(api_key["token"])
    (here / "server.pem").write_bytes((terminal.folder / "keys" / "tls-certificate.pem").read_bytes())
    text = GATE.format(
        agent=added["agent"],
        gate=added["gates"][0],
        site=added["site"],
        key=added["server_public_key"],
        port=port,
        folder=here,
        reader=reader,
    )
    (here / "gate.toml").write_text(text)
    for name in ("gate.toml", "gate.api-key"):
        (here / name).chmod(0o600)


def until(path: Path, content: bytes) -> None:
    """Wait for a device to be told something; the watchdogs end a wait that is in vain."""
    for _ in range(PATIENCE * 100):
        if path.read_bytes() == content:
            return
        threading.Event().wait(0.01)
    pytest.fail(f"{path.name} never became {content!r}")


def until_told(terminal: Terminal, status: str) -> None:
    """Wait until the server knows how the door stands."""
    for _ in range(PATIENCE * 10):
        if status in {line["status"] for line in terminal("doors").lines}:
            return
        threading.Event().wait(0.1)
    pytest.fail(f"no door was ever {status}")


def test_an_agent_is_set_up_as_the_page_says_and_opens_to_whom_it_should(
    new_site: Path, tmp_path: Path, reader: tuple[int, str]
) -> None:
    here, port = tmp_path / "beside", a_port()
    here.mkdir()
    for device in ("relay", "leaf", "panel"):
        (here / device).write_text("0")
    terminal = copied(new_site, tmp_path / "site")
    assert terminal("gate", "add", "front", "--factors", "card").code == 0
    with serving(terminal, port):
        follow_the_page(terminal, here, port, reader[1])
        code, checked = edge(here, "check", "gate.toml")
        assert (code, set(checked["checks"].values())) == (0, {"works"}), checked
        with program("doorward_edge.cli", ["run", "gate.toml"], here) as agent:
            decisions = lines_of(agent)
            os.write(reader[0], f"{CARD}\n".encode())
            first = next(decisions)
            assert (first["opens"], first["moved"], first["offline"]) == (True, True, False)
            os.write(reader[0], b"nobody\n")
            assert next(decisions)["because"] == "unknown"
            # Whoever passed has opened and shut the leaf: the relay lets go at once.
            for stands in ("1", "0"):
                (here / "leaf").write_text(stands)
                until_told(terminal, "open" if stands == "1" else "closed")
            until(here / "relay", b"0")
            (here / "panel").write_text("1")
            until(here / "relay", b"1")
            (here / "panel").write_text("0")
            until(here / "relay", b"0")
            assert terminal("unlock", "front", "--reason", "drill").code == 0
            until(here / "relay", b"1")
    kinds = {line["kind"] for line in terminal("alarm", "list").lines}
    assert "fire-contact" in kinds


def test_an_agent_goes_on_through_an_outage_in_which_the_servers_key_turned(
    new_site: Path, tmp_path: Path, reader: tuple[int, str]
) -> None:
    here, port = tmp_path / "beside", a_port()
    here.mkdir()
    for device in ("relay", "leaf", "panel"):
        (here / device).write_text("0")
    terminal = copied(new_site, tmp_path / "site")
    assert terminal("gate", "add", "front", "--factors", "card").code == 0
    with ExitStack() as agents:
        with serving(terminal, port):
            follow_the_page(terminal, here, port, reader[1])
            agent = agents.enter_context(program("doorward_edge.cli", ["run", "gate.toml"], here))
            decisions = lines_of(agent)
            assert shown_until(reader[0], decisions, offline=False)["opens"]
        assert shown_until(reader[0], decisions, offline=True)["opens"]
        assert terminal("keys", "rotate", "sign.gates").code == 0
        with serving(terminal, port):
            assert shown_until(reader[0], decisions, offline=False)["opens"]


def shown_until(reader: int, decisions: Iterator[dict[str, Any]], *, offline: bool) -> dict[str, Any]:
    """The first decision taken with, or without, the server; the card is shown again until then."""
    while True:
        os.write(reader, f"{CARD}\n".encode())
        decision = next(decisions)
        if decision["offline"] is offline and (decision["opens"] or offline is False):
            return decision
        threading.Event().wait(0.2)


def test_the_page_names_what_there_is() -> None:
    page = (ROOT / "docs" / "operate" / "edge-agent.md").read_text()
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (ROOT / "docs" / "operate" / link).exists(), link
