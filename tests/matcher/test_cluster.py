"""Two machines of one cluster, played by two nodes on this one: one goes down in the middle of searches."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

import psutil
import pytest

from doorward.core.clock import system_clock
from doorward.core.errors import Unavailable
from doorward.gallery.model import Wanted
from doorward.matching.matcher import Answer
from doorward_matcher.cluster_files import PROMPT, environment_of, make_cluster_files
from doorward_matcher.workers import own_addresses
from tests.matcher.world import Decider, Running, run, same, until

HERE = own_addresses()[-1]
ROOM = json.dumps({"shard": 2})


@pytest.fixture
def short() -> Iterator[Path]:
    """Sockets allow no long path."""
    folder = Path(mkdtemp(prefix="dw"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def node(files: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", f"--node-ip-address={HERE}"]
    command += ["--num-cpus=1", f"--resources={ROOM}", "--object-store-memory=134217728", *words]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env={**os.environ, **environment_of(files), **PROMPT}, stdout=quiet, stderr=quiet
    )
    try:
        yield process
    finally:
        take_down(process)


def take_down(process: subprocess.Popen[bytes]) -> None:
    """As if its power were cut."""
    if process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for one in children:
            one.kill()
    process.wait(20)


def nodes(*machines: subprocess.Popen[bytes]) -> list[int]:
    """How many workers run on each."""
    found = []
    for machine in machines:
        there = psutil.Process(machine.pid).children(recursive=True) if machine.poll() is None else []
        found.append(sum(one.name() == "ray::RayWorker" for one in there))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_machine_goes_down_in_the_middle_of_searches(tmp_path: Path, short: Path, decider: Decider) -> None:
    address = f"{HERE}:{(port := free_port())}"
    running = Running.make(tmp_path / "m", decider, workers=2, cluster=address, searches_at_once=3)
    files = running.folder / "cluster"
    make_cluster_files(files, [HERE], system_clock())
    with (
        node(files, "--head", f"--port={port}", f"--temp-dir={short}", "--include-dashboard=false") as first,
        node_beside(files, address) as second,
    ):
        running.start()
        try:
            until(lambda: nodes(first, second) == [1, 1])
            lose_second(running, decider, second)
            until(lambda: nodes(first, second) == [2, 0], seconds=30)
            strangers(tmp_path, decider, address)
        finally:
            running.kill()


@contextmanager
def node_beside(files: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    host, port = address.split(":")
    until(lambda: _listens(host, int(port)), seconds=30)
    with node(files, f"--address={address}") as machine:
        until(
            lambda: any(one.name() == "raylet" for one in psutil.Process(machine.pid).children()), seconds=30
        )
        yield machine


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), 1).close()
    except OSError:
        return False
    return True


def lose_second(running: Running, decider: Decider, second: subprocess.Popen[bytes]) -> None:
    wanted = [Wanted(f"shelf_{number}", decider.sealed(2)) for number in range(4)]
    matcher, query = decider.matcher(running, timeout_seconds=20), decider.query()
    truth = decider.truth(query, wanted)
    assert same(matcher.answer(query, wanted), truth)
    answered: list[list[Answer]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            with suppress(Unavailable):
                answered.append(matcher.answer(query, wanted))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 3)
    take_down(second)
    before = len(answered)
    until(lambda: len(answered) > before + 10, seconds=40)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert all(same(one, truth) for one in answered)


def strangers(tmp_path: Path, decider: Decider, address: str) -> None:
    """Whoever has other files is not let in, though everything else is right."""
    other = Running.make(tmp_path / "stranger", decider, workers=1, cluster=address)
    make_cluster_files(other.folder / "cluster", [HERE], system_clock())
    done = run("serve", other.folder)
    assert done.returncode != 0
    assert "lets this machine in" in done.stderr
