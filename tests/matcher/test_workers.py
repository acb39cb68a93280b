"""Workers that share each search: killed or frozen, the answer is the truth or an error, never a part."""

import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from doorward.core.errors import Unavailable
from doorward.gallery import service
from doorward.gallery.drivers.either_matcher import EitherMatcher
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.matching.matcher import Answer
from doorward_matcher.cluster_files import NOBODY, QUIET
from tests.conftest import SteppingClock
from tests.gallery.site import Site, name
from tests.matcher.world import Decider, Running, run, same, serving, until

SHELVES = 5


@pytest.fixture(scope="module")
def shared(place: Path, decider: Decider, other: Decider) -> Iterator[Running]:
    with serving(place / "workers", decider, other, workers=2, searches_at_once=3) as running:
        yield running


@pytest.fixture(scope="module")
def wanted(decider: Decider) -> list[Wanted]:
    full = [Wanted(f"shelf_{number}", decider.sealed(3 + number)) for number in range(SHELVES)]
    return [*full, Wanted("shelf_empty", ())]


def processes(running: Running) -> list[psutil.Process]:
    assert running.process is not None
    return psutil.Process(running.process.pid).children(recursive=True)


def workers(running: Running) -> list[psutil.Process]:
    return [one for one in processes(running) if one.name() == "ray::RayWorker"]


def test_the_answers_of_all_workers_in_the_order_asked(
    shared: Running, decider: Decider, wanted: list[Wanted]
) -> None:
    matcher = decider.matcher(shared, timeout_seconds=20)
    for some in (wanted, wanted[::-1], wanted[2:3]):
        query = decider.query()
        assert same(matcher.answer(query, some), decider.truth(query, some))
    assert len([one for one in workers(shared) if _is_awake(one)]) == 2


def test_deciders_share_workers_and_nothing_else(shared: Running, other: Decider, decider: Decider) -> None:
    """Shelves of one name, of two access groups, each under secrets of its own."""
    theirs = [Wanted("shelf_0", other.sealed(2)), Wanted("shelf_1", other.sealed(1))]
    query = other.query()
    assert same(other.matcher(shared, timeout_seconds=20).answer(query, theirs), other.truth(query, theirs))
    mine = [Wanted("shelf_0", decider.sealed(2))]
    query = decider.query()
    assert same(decider.matcher(shared).answer(query, mine), decider.truth(query, mine))


def test_a_gallery_is_searched_by_workers(site: Site, shared: Running, other: Decider) -> None:
    """With all that checks, decrypts and decides: people come, go, and are swept away."""
    theirs = Decider(site.folder)
    theirs.key = other.key
    remote = theirs.matcher(shared, timeout_seconds=20)
    site.keyholder.matcher = EitherMatcher(remote, LocalMatcher(site.blocks))
    site.enrol(1, 2, 3)
    assert [site.who(seed) for seed in (1, 2, 3, 9)] == [name(1), name(2), name(3), None]
    site.forget(2)
    assert [site.who(seed) for seed in (1, 2)] == [name(1), None]
    with site.unit() as unit:
        service.sweep_blocks(unit, site.keyholder)
    assert site.who(3) == name(3)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "frozen"])
def test_a_worker_lost_in_the_middle_of_searches(
    shared: Running, decider: Decider, wanted: list[Wanted], how: signal.Signals
) -> None:
    matcher, stop = decider.matcher(shared, timeout_seconds=20), threading.Event()
    query = decider.query()
    truth = decider.truth(query, wanted)
    assert same(matcher.answer(query, wanted), truth)
    answered: list[list[Answer]] = []
    failed: list[Exception] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                answered.append(matcher.answer(query, wanted))
            except Unavailable as error:
                failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 3)
    lost = workers(shared)[0]
    lost.send_signal(how)
    until(lambda: lost.pid not in [one.pid for one in workers(shared) if _is_awake(one)], seconds=30)
    until(lambda: len([one for one in workers(shared) if _is_awake(one)]) == 2, seconds=30)
    before = len(answered)
    until(lambda: len(answered) > before + 3, seconds=30)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert all(same(one, truth) for one in answered)


def _is_awake(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_with_a_worker_frozen_nobody_is_told_of_a_part(
    place: Path, decider: Decider, wanted: list[Wanted]
) -> None:
    """Also where no other can be made, because the engine stands still too: the server waits no longer."""
    with serving(place / "frozen", decider, workers=2) as running:
        matcher, query = decider.matcher(running, timeout_seconds=6), decider.query()
        truth = decider.truth(query, wanted)
        assert same(matcher.answer(query, wanted), truth)
        frozen = [workers(running)[0], *(one for one in processes(running) if one.name() == "raylet")]
        for one in frozen:
            one.suspend()
        try:
            with pytest.raises(Unavailable):
                matcher.answer(query, wanted)
        finally:
            for one in frozen[1:]:
                one.resume()
        until(lambda: _answers(matcher, query, wanted, truth), seconds=30)


def _answers(matcher: object, query: object, wanted: object, truth: list[Answer]) -> bool:
    try:
        return same(matcher.answer(query, wanted), truth)  # type: ignore[attr-defined]
    except Unavailable:
        return False


def test_more_searches_than_it_takes_are_refused(
    shared: Running, decider: Decider, wanted: list[Wanted]
) -> None:
    matcher, query = decider.matcher(shared, timeout_seconds=20), decider.query()
    truth = decider.truth(query, wanted)
    answered: list[list[Answer]] = []
    refused: list[str] = []

    def ask() -> None:
        try:
            answered.append(matcher.answer(query, wanted))
        except Unavailable as error:
            refused.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    frozen = workers(shared)[0]
    frozen.suspend()
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    frozen.resume()
    for thread in threads:
        thread.join(30)
    assert len(answered) + len(refused) == 16
    assert refused
    assert all(same(one, truth) for one in answered)


def test_only_members_are_let_in(shared: Running) -> None:
    """The engine listens on every address, so each of its doors must ask for certificate or token."""
    pids = {one.pid: one.name() for one in processes(shared)}
    assert shared.process is not None
    pids[shared.process.pid] = "front"
    listening = [one for one in psutil.net_connections("inet") if one.pid in pids and one.status == "LISTEN"]
    doors = [(pids[one.pid or 0], *one.laddr) for one in listening]
    assert {one for one, *_ in doors} >= {"gcs_server", "raylet", "ray::RayWorker"}
    for one, host, port in doors:
        if port != shared.port:
            assert _turns_away("127.0.0.1" if host in ("::", "0.0.0.0") else host, port), (one, host, port)


def _turns_away(host: str, port: int) -> bool:
    """Whether a stranger gets nothing from a door: no answer without a certificate, or 401."""
    try:
        plain = httpx.get(f"http://{host}:{port}/", timeout=5, trust_env=False)
        return plain.status_code == 401
    except httpx.TransportError:
        pass
    try:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        trusting.set_alpn_protocols(["h2"])
        with httpx.Client(verify=trusting, trust_env=False, timeout=5) as client:
            client.get(f"https://{host}:{port}/")
    except httpx.TransportError:
        return True
    return False


def test_it_reports_to_nobody(shared: Running) -> None:
    """Switched off, Ray still reports that it is; so it is also told an address where nobody is."""
    own = {"127.0.0.1", "::1"} | {
        address.address for each in psutil.net_if_addrs().values() for address in each
    }
    there = processes(shared)
    told = 0
    for one in there:
        given = one.environ()
        if "RAY_TLS_CA_CERT" not in given:
            continue  # it renamed itself over its environment
        told += 1
        assert given.items() >= QUIET.items()
    assert told >= 5
    assert QUIET["RAY_USAGE_STATS_REPORT_URL"] == NOBODY
    pids = {one.pid for one in there}
    outside = [
        one.raddr
        for one in psutil.net_connections("inet")
        if one.pid in pids and one.raddr and one.raddr.ip.removeprefix("::ffff:") not in own
    ]
    assert outside == []


def test_it_takes_its_engine_with_it(place: Path, decider: Decider) -> None:
    with serving(place / "stopped", decider, workers=1) as running:
        there = processes(running)
        assert running.process is not None
        running.process.terminate()
        running.process.wait(30)
        until(lambda: not any(one.is_running() for one in there), seconds=30)
    with serving(place / "cut", decider, workers=1) as running:
        there = [one for one in processes(running) if not one.name().endswith("Agent")]  # idle, without it
        assert len(there) >= 4
        running.kill()
        until(lambda: not any(_is_awake(one) for one in there), seconds=30)


def test_without_its_engine_it_ends_to_be_started_anew(place: Path, decider: Decider) -> None:
    with serving(place / "lost", decider, workers=1) as running:
        wanted, query = [Wanted("shelf_1", decider.sealed(2))], decider.query()
        matcher = decider.matcher(running, timeout_seconds=6)
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        (node,) = [one for one in processes(running) if one.name() == "raylet"]
        node.kill()
        assert running.process is not None
        end = running.process

        def ended() -> bool:
            with suppress(Unavailable):
                assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
            return end.poll() is not None

        until(ended, seconds=60)


def test_a_cluster_without_its_files_is_not_joined(tmp_path: Path, decider: Decider) -> None:
    running = Running.make(tmp_path / "m", decider, workers=1, cluster="192.0.2.9:6379")
    done = run("serve", running.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "lacks token" in done.stderr
    (running.folder / "cluster").mkdir(mode=0o700)
    for file in ("token", "tls-certificate.pem", "tls-key.pem"):
        path = running.folder / "cluster" / file
        path.write_text("x")
        path.chmod(0o644)
    done = run("serve", running.folder)
    assert (done.returncode, "chmod 600" in done.stderr) == (2, True)
    assert os.environ.get("RAY_AUTH_MODE") is None  # nothing of it in this process


def test_a_cluster_needs_workers(tmp_path: Path, decider: Decider) -> None:
    running = Running.make(tmp_path / "m", decider, cluster="192.0.2.9:6379")
    done = run("serve", running.folder)
    assert (done.returncode, "set workers" in done.stderr) == (2, True)


@pytest.fixture
def site(database, clock: SteppingClock, vault, tmp_path: Path) -> Site:  # type: ignore[no-untyped-def]
    return Site(database, clock, vault, tmp_path / "gallery")
