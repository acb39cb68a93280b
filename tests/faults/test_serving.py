"""The command that serves: killed it starts again, asked to stop it stops, and a taken port is said."""

import os
import signal
import socket
import time
from pathlib import Path

import httpx
import pytest

from doorward.core.programs import EXIT_CODES
from tests.faults.processes import PATIENCE
from tests.faults.site import Site


@pytest.fixture
def port(site: Site) -> int:
    """A port that the site's settings name; nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        number: int = door.getsockname()[1]
    (site.folder / "doorward.toml").write_text(f"[web]\nport = {number}\ntls = false\n")
    return number


def start(site: Site, port: int, said: Path) -> int:
    """The process of a server that answers."""
    pid = site.zygote.start("command", ["serve", "--folder", str(site.folder)], said)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", trust_env=False).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return pid
    raise AssertionError(said.with_suffix(".err").read_text())


def test_a_killed_server_starts_again_and_one_that_is_asked_to_stop_ends_well(
    site: Site, port: int, tmp_path: Path
) -> None:
    for number in range(2):
        pid = start(site, port, tmp_path / f"serve{number}")
        os.kill(pid, signal.SIGKILL)
        assert site.zygote.wait(pid) == -signal.SIGKILL
    for wish in (signal.SIGTERM, signal.SIGINT):
        pid = start(site, port, tmp_path / wish.name)
        os.kill(pid, wish)
        assert site.zygote.wait(pid) in (0, -signal.SIGTERM)
        assert (tmp_path / f"{wish.name}.err").read_text() == ""
    assert site.verified().size > 0


def test_a_port_that_is_taken_is_said_in_a_sentence(site: Site, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        code, said, complaint = site.run("serve")
    assert (code, said) == (EXIT_CODES["unavailable"], "")
    assert complaint.strip().endswith(".") and str(port) in complaint
