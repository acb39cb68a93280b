import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from doorward.core.clock import system_clock
from doorward.core.wire import OfflineDecision, OfflineOutcome
from doorward_edge.ports import Step
from tests.edge.http_server import serving
from tests.edge.world import FakeServer

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": ""}
ONLINE = [
    (Step.NUMBERED, 0, []),
    (Step.ANSWERED, 0, []),
    (Step.MARKED, 0, [(False, False)]),
    (Step.MOVED, 1, [(False, False)]),
    (Step.SETTLED, 1, [(True, True)]),
    (Step.REPORTED, 1, [(True, True)]),
]
ALONE = [
    (Step.JOURNALLED, 0, [(False, False)]),
    (Step.MOVED_ALONE, 1, [(False, False)]),
    (Step.OUTCOME_JOURNALLED, 1, [(True, True)]),
    (Step.REPLAYED, 1, [(True, True)]),
    (Step.TRUNCATED, 1, [(True, True)]),
]


def run(folder: Path, url: str, plan: str, fatal: str = "none") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.edge.child", str(folder), url, plan, fatal],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def movements(folder: Path) -> int:
    path = folder / "movements"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.mark.parametrize(("step", "moved", "outcomes"), ONLINE)
def test_power_may_fail_at_any_step_of_a_permit(
    tmp_path: Path, step: Step, moved: int, outcomes: list[tuple[bool, bool]]
) -> None:
    server = FakeServer(now=system_clock)
    with serving(server) as url:
        assert run(tmp_path, url, "online", step).returncode == -signal.SIGKILL
        assert movements(tmp_path) == moved
        after = run(tmp_path, url, "settle")
    assert (after.returncode, after.stderr) == (0, "")
    assert movements(tmp_path) == moved
    assert [(o.moved, o.certain) for o in server.outcomes] == outcomes


@pytest.mark.parametrize(("step", "moved", "outcomes"), ALONE)
def test_power_may_fail_at_any_step_alone_and_the_journal_is_neither_short_nor_doubled(
    tmp_path: Path, step: Step, moved: int, outcomes: list[tuple[bool, bool]]
) -> None:
    server = FakeServer(now=system_clock)
    with serving(server) as url:
        assert run(tmp_path, url, "alone", step).returncode == -signal.SIGKILL
        assert movements(tmp_path) == moved
        after = run(tmp_path, url, "settle")
    assert (after.returncode, after.stderr) == (0, "")
    assert movements(tmp_path) == moved
    facts = [fact for _, fact in server.journal]
    assert [fact.opens for fact in facts if isinstance(fact, OfflineDecision)] == [True]
    assert [(f.moved, f.certain) for f in facts if isinstance(f, OfflineOutcome)] == outcomes


def test_a_number_is_never_given_twice_even_after_a_crash(tmp_path: Path) -> None:
    server = FakeServer(now=system_clock)
    with serving(server) as url:
        for _ in range(2):
            run(tmp_path, url, "online", Step.ANSWERED)
        assert run(tmp_path, url, "online").stdout == "True None True\n"
    sequences = [sighting.sequence for sighting in server.sightings]
    assert len(sequences) == 3
    assert sequences == sorted(set(sequences))


def test_a_full_disk_keeps_the_gate_shut_and_loses_nothing(tmp_path: Path) -> None:
    server = FakeServer(now=system_clock)
    with serving(server) as url:
        done = run(tmp_path, url, "full")
        assert (done.stdout, done.stderr) == ("False agent-disk-failed None\n", "")
        assert movements(tmp_path) == 0
        assert run(tmp_path, url, "online").stdout == "True None True\n"
    assert movements(tmp_path) == 1
    assert [o.moved for o in server.outcomes] == [True]
    assert datetime.now(UTC) >= server.sightings[0].seen_at
