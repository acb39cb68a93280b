from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text

from doorward.audit.service import list_entries, record, verify
from doorward.core.errors import DoorwardError, Invalid, Tampered, Unavailable
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite, postgres
from doorward.platform.jobs import count_dead, enqueue, forget_done, run_due
from doorward.platform.paging import page_request

from ..conftest import GUARD, NOON, SITE, SteppingClock

LATER = NOON + timedelta(days=2)


def test_a_unit_keeps_all_or_nothing(database: Database) -> None:
    with pytest.raises(Invalid), database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
        raise Invalid("no")
    assert run_due(database, {"a.job": lambda unit, facts: None}) == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_file_tells_nothing_and_opens_only_with_its_key(tmp_path: Path, database: Database) -> None:
    with database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job", subject="a-very-plain-word")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"a-very-plain-word" not in stored
    assert b"CREATE TABLE" not in stored
    stranger = Database(encrypted_sqlite(tmp_path / "doorward.db", b"x" * 32), lambda: NOON)
    with pytest.raises(Tampered), stranger.reading(GUARD, SITE) as unit:
        run_due(stranger, {})
    stranger.engine.dispose()


def test_a_job_that_fails_is_tried_later_and_never_half_done(
    database: Database, clock: SteppingClock
) -> None:
    tries: list[int] = []

    def handler(unit: object, facts: dict[str, object]) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError

    with database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
    assert run_due(database, {"a.job": handler}) == 0
    assert run_due(database, {"a.job": handler}) == 0, "not due yet"
    clock.advance(seconds=2)
    assert run_due(database, {"a.job": handler}) == 0
    clock.advance(seconds=4)
    assert run_due(database, {"a.job": handler}) == 1
    assert run_due(database, {"a.job": handler}) == 0


def test_done_jobs_are_forgotten_after_a_week_and_those_given_up_stay(
    database: Database, clock: SteppingClock
) -> None:
    def refuse(unit: object, facts: dict[str, object]) -> None:
        raise RuntimeError

    with database.unit(GUARD, SITE) as unit:
        for name in ("a.job", "b.job"):
            enqueue(unit, name)
    while run_due(database, {"a.job": lambda unit, facts: None, "b.job": refuse}) or clock.now < LATER:
        clock.advance(hours=1)
    with database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
    assert run_due(database, {"a.job": lambda unit, facts: None}) == 1
    clock.advance(days=6)
    with database.unit(GUARD, SITE) as unit:
        forget_done(unit)
        left = list(unit.rows.execute(text("SELECT name FROM jobs ORDER BY id")).scalars())
        assert count_dead(unit) == 1
    assert left == ["b.job", "a.job"]


def test_what_a_unit_gathers_is_written_once_before_its_commit(database: Database) -> None:
    with database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
        first, second = record(unit, "a.deed"), record(unit, "another.deed")
        assert [entry.event for entry in list_entries(unit, page_request(limit=5)).items] == [
            "another.deed",
            "a.deed",
        ], "whoever reads the log in the same unit finds what the unit recorded"
    assert (first, second) == (0, 1)
    with database.unit(GUARD, SITE) as unit:
        assert record(unit, "third.deed") == 3, "the look itself was the third"
    with database.unit(GUARD, SITE) as unit:
        verify(unit, {})


def test_a_unit_that_fails_at_its_end_keeps_nothing(database: Database) -> None:
    with pytest.raises(Invalid), database.unit(GUARD, SITE) as unit:
        record(unit, "a.deed")
        raise Invalid("no")
    with database.unit(GUARD, SITE) as unit:
        assert record(unit, "first.deed") == 0


def test_a_unit_that_only_reads_refuses_a_deed(database: Database) -> None:
    with pytest.raises(DoorwardError, match="only reads"), database.reading(GUARD, SITE) as unit:
        record(unit, "a.deed")


@pytest.fixture
def second(database: Database, clock: SteppingClock, tmp_path: Path) -> Iterator[Database]:
    """The same records, opened by another process as it were."""
    if database.engine.dialect.name == "sqlite":
        engine = encrypted_sqlite(tmp_path / "doorward.db", bytes(range(32)))
    else:
        engine = postgres(database.engine.url.render_as_string(hide_password=False))
    yield Database(engine, clock)
    engine.dispose()


@pytest.mark.parametrize("keeper", ["another process", "another thread"])
def test_whoever_has_little_patience_is_told_in_time_and_the_next_waits_longer(
    database: Database, second: Database, keeper: str
) -> None:
    mine = second if keeper == "another process" else database

    def ask(patience: float | None) -> tuple[bool, float]:
        began = monotonic()
        try:
            with mine.unit(GUARD, SITE, patience=patience):
                return True, monotonic() - began
        except Unavailable as error:
            assert "busy" in str(error)
            return False, monotonic() - began

    with ThreadPoolExecutor(1) as pool:
        with database.unit(GUARD, SITE):
            done, seconds = pool.submit(ask, 0.3).result()
            assert (done, 0.25 < seconds < 1.5) == (False, True), seconds
            waiting = pool.submit(ask, None)  # over the same connection: its patience is its own
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.8)
        assert waiting.result()[0]
        assert pool.submit(ask, 0.3).result()[0]
