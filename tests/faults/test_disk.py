"""A disk without space, a writer's place kept by others: the gate stays shut until all goes on by itself."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from doorward.core.errors import Unavailable
from doorward.core.programs import EXIT_CODES
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.jobs import enqueue
from doorward.vault.service import FORGET_OBJECTS, add_photo
from tests.faults.processes import PATIENCE, Running
from tests.faults.site import Site

UNAVAILABLE = EXIT_CODES["unavailable"]
WAITING = 6


def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def undone(site: Site) -> int:
    """How many promises wait to be kept."""
    with site.opened() as house, house.unit() as unit:
        return int(unit.rows.scalar(text("SELECT count(*) FROM jobs WHERE done_at IS NULL")))


@dataclass
class SmallDisk:
    """A disk of its own in memory, filled to the last byte."""

    folder: Path

    @contextmanager
    def full(self, server: Running | None = None) -> Iterator[None]:
        """No space until the block ends."""
        filler = self.folder / "filler"
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    continue
        yield
        filler.unlink()


@dataclass
class SmallFiles:
    """A kernel that lets no file of the server grow any further; any user may ask for that."""

    folder: Path

    @contextmanager
    def full(self, server: Running | None = None) -> Iterator[None]:
        """No file of the server may grow until the block ends."""
        assert server is not None
        log = self.folder / "site" / "data" / "doorward.db-wal"
        _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (log.stat().st_size // 2, hard))
        yield
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (hard, hard))


def small_disk(folder: Path) -> SmallDisk:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    return SmallDisk(folder)


@contextmanager
def on_a_disk(site: Site, kind: str) -> Iterator[tuple[Site, SmallDisk | SmallFiles]]:
    """The site, moved to a disk that can be filled."""
    if kind == "files":
        yield site, SmallFiles(site.folder.parent)
        return
    disk = small_disk(site.folder.parent / "disk")
    try:
        subprocess.run(["cp", "-a", str(site.folder), str(disk.folder)], check=True)
        moved = replace(site, folder=disk.folder / "site", said=site.folder.parent)
        yield moved, disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk.folder)], check=True)


def ask_all(server: Running, site: Site, numbers: range) -> list[httpx.Response]:
    """Many at once, so that the desk decides some of them together."""
    with ThreadPoolExecutor(WAITING) as pool:
        return list(pool.map(lambda number: server.ask(site.sighting(number=number)), numbers))


@pytest.mark.parametrize("kind", ["files", "disk"])
def test_a_full_disk_keeps_the_gate_shut_and_all_goes_on_by_itself_once_there_is_space(
    site: Site, kind: str
) -> None:
    with on_a_disk(site, kind) as (here, disk), here.serving() as server:
        assert here.permit(server.ask(here.sighting(number=1))).opens
        with disk.full(server):
            for answer in ask_all(server, here, range(2, 2 + WAITING)):
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
                assert answer.json()["type"] == "urn:doorward:problem:unavailable"
                assert "disk" in answer.json()["detail"]
            assert server.client.get("/health").status_code == 200
        answers = ask_all(server, here, range(2, 2 + WAITING))
        assert all(here.permit(answer).opens for answer in answers)
        assert len(here.passages()) == 1 + WAITING
        assert here.verified().size > 0


def test_a_worker_whose_disk_is_full_takes_up_its_work_once_there_is_space(site: Site) -> None:
    disk = SmallFiles(site.folder.parent)
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens
        with disk.full(server):
            with site.opened() as house, house.unit() as unit:
                enqueue(unit, FORGET_OBJECTS, names=["ab" * 16])
            eventually(lambda: any(line["message"] == "duty failed" for line in server.log()))
            assert undone(site) == 1
        eventually(lambda: undone(site) == 0)
        assert site.permit(server.ask(site.sighting())).opens


def test_a_command_on_a_full_disk_says_so_and_leaves_no_half_written_photo(site: Site) -> None:
    with on_a_disk(site, "disk") as (here, disk):
        with disk.full():
            code, _, complaint = here.run("events")
            assert (code, "disk" in complaint) == (UNAVAILABLE, True)
        assert here.run("events")[0] == 0
        with here.opened() as house, pytest.raises(Unavailable), house.unit() as unit:
            add_photo(unit, house.vault, here.facts.person_id, os.urandom(9 << 20))
        assert [path for path in (here.folder / "data" / "objects").glob("*/*") if path.is_file()] == []
        assert here.run("events")[0] == 0


def test_a_writers_place_kept_by_another_is_said_after_a_while_and_all_goes_on_when_it_is_free(
    site: Site,
) -> None:
    with site.opened() as house:
        key = house.vault.database_keys()[0]
    other, took = encrypted_sqlite(site.database, key), list[float]()
    with site.serving() as server:
        with other.begin():
            with ThreadPoolExecutor(3) as pool:
                command = pool.submit(site.run, "events")
                began = time.monotonic()
                asked = pool.submit(server.ask, site.sighting())
                asked.add_done_callback(lambda _: took.append(time.monotonic() - began))
                assert server.client.get("/health").status_code == 200
            answer = asked.result()
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert "busy" in answer.json()["detail"]
            assert took[0] < 2.0, "an agent that waits for longer has decided alone meanwhile"
            code, _, complaint = command.result()
            assert (code, "busy" in complaint) == (UNAVAILABLE, True)
        assert site.permit(server.ask(site.sighting())).opens
        assert site.run("events")[0] == 0
    other.dispose()
    assert len(site.passages()) == 1
    assert site.verified().size > 0
