"""What only a server can do to us: go away, be held by another process, let us in no more."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from doorward.audit.service import list_entries, record, verify
from doorward.core.errors import DoorwardError, Invalid, Unavailable
from doorward.core.permissions import EVERY_SITE
from doorward.platform.db import Database, Unit
from doorward.platform.engine import postgres
from doorward.platform.jobs import count_dead, enqueue, run_due
from doorward.platform.paging import PageRequest
from tests.conftest import GUARD, NOON, SITE, SteppingClock
from tests.postgres import Grown, grown_server

ALL = PageRequest(None, 200)


@pytest.fixture
def first(grown_engine: Engine, clock: SteppingClock) -> Database:
    return Database(grown_engine, clock)


@pytest.fixture
def second(grown_engine: Engine, clock: SteppingClock) -> Iterator[Database]:
    """The same records, opened by another process as it were."""
    engine = postgres(grown_engine.url.render_as_string(hide_password=False))
    event.listen(engine, "connect", lambda link, _: link.execute("SET lock_timeout = '20ms'"))
    yield Database(engine, clock)
    engine.dispose()


def deeds(database: Database) -> list[str]:
    with database.unit(GUARD, SITE) as unit:
        return [entry.event for entry in list_entries(unit, ALL).items if entry.event.startswith("thing.")]


def test_whoever_waits_too_long_for_another_process_is_told_so(first: Database, second: Database) -> None:
    with first.unit(GUARD, SITE) as unit:
        record(unit, "thing.done")
        with pytest.raises(Unavailable, match="busy"), second.unit(GUARD, SITE):
            pass
    with second.unit(GUARD, SITE) as unit:
        record(unit, "thing.done")
    assert deeds(first) == ["thing.done", "thing.done"]


def test_readers_wait_for_nobody_and_see_one_moment(first: Database, second: Database) -> None:
    with first.unit(GUARD, SITE) as unit, second.reading(GUARD, SITE) as other:
        enqueue(unit, "a.job")
        unit.rows.flush()
        assert other.rows.scalar(text("SELECT count(*) FROM jobs")) == 0


def test_no_connection_gives_up_durability_or_holds_the_place_for_ever(first: Database) -> None:
    with first.reading(GUARD, SITE) as unit:
        said = {
            name: unit.rows.scalar(text(f"SHOW {name}"))
            for name in ("lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
        }
    assert said == {
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "1min",
        "synchronous_commit": "on",
    }


@pytest.mark.parametrize(
    "statement, family",
    [
        ("SELECT 1/0", Invalid),
        ("SELECT 2147483647 + 1", Invalid),
        ("SELECT E'\\\\x00'::text || :odd", Invalid),
        ("SELECT pg_terminate_backend(pg_backend_pid())", Unavailable),
        ("DO $$BEGIN RAISE SQLSTATE '40P01'; END$$", Unavailable),
        ("DO $$BEGIN RAISE SQLSTATE '53100'; END$$", Unavailable),
        ("DO $$BEGIN RAISE SQLSTATE '53300'; END$$", Unavailable),
        ("DO $$BEGIN RAISE SQLSTATE '25006'; END$$", Unavailable),
        ("DO $$BEGIN RAISE SQLSTATE '42501'; END$$", Unavailable),
        ("SELECT nothing", DoorwardError),
    ],
)
def test_a_complaint_becomes_a_family_keeps_nothing_and_harms_no_later_unit(
    first: Database, statement: str, family: type[DoorwardError]
) -> None:
    odd = {"odd": "\x00"} if ":odd" in statement else {}
    with pytest.raises(DoorwardError) as told, first.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
        unit.rows.flush()
        unit.rows.execute(text(statement), odd)
    assert type(told.value) is family
    with first.unit(GUARD, SITE) as unit:
        assert unit.rows.scalar(text("SELECT count(*) FROM jobs")) == 0


def test_a_stranger_is_not_let_in_and_told_what_to_look_at(grown: Grown) -> None:
    engine = postgres(grown.url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(Unavailable, match=r"database\.url"), Database(engine, lambda: NOON).unit(GUARD, SITE):
        pass
    engine.dispose()


def test_two_runners_do_each_job_once(first: Database, grown_engine: Engine, clock: SteppingClock) -> None:
    other = postgres(grown_engine.url.render_as_string(hide_password=False))
    second = Database(other, clock)
    with first.unit(GUARD, SITE) as unit:
        for number in range(40):
            enqueue(unit, "thing.do", number=number)

    def do(unit: Unit, facts: dict[str, Any]) -> None:
        record(unit, "thing.done", number=facts["number"])

    done: list[int] = []
    _together(*(_running(database, do, done) for database in (first, second)))
    other.dispose()
    assert sum(done) == 40 and len(deeds(first)) == 40
    with first.reading(GUARD, EVERY_SITE) as unit:
        assert verify(unit, {}).size > 40


def test_a_job_that_failed_elsewhere_meanwhile_waits_for_its_time(first: Database, second: Database) -> None:
    with first.unit(GUARD, SITE) as unit:
        enqueue(unit, "thing.first")
        enqueue(unit, "thing.second")
    tried: list[str] = []

    def elsewhere(unit: Unit, facts: dict[str, Any]) -> None:
        tried.append("elsewhere")
        raise Invalid("not now")

    def here(unit: Unit, facts: dict[str, Any]) -> None:
        raise AssertionError("it was tried a moment ago")

    def meanwhile(unit: Unit, facts: dict[str, Any]) -> None:
        unit.rows.execute(text("UPDATE jobs SET attempts = 1 WHERE name = 'thing.second'"))

    assert run_due(first, {"thing.first": meanwhile, "thing.second": here}) == 1
    assert run_due(second, {"thing.second": elsewhere}) == 0
    assert tried == ["elsewhere"]
    with first.unit(GUARD, SITE) as unit:
        assert unit.rows.scalar(text("SELECT attempts FROM jobs WHERE name = 'thing.second'")) == 2
        assert count_dead(unit) == 0


def test_a_server_that_goes_and_comes_back_is_found_again_without_our_doing(clock: SteppingClock) -> None:
    with grown_server() as server:
        engine = postgres(server.new_database())
        database = Database(engine, clock)
        with database.unit(GUARD, SITE) as unit:
            unit.rows.execute(text("CREATE TABLE kept (number integer)"))
            unit.rows.execute(text("INSERT INTO kept VALUES (1)"))
        with pytest.raises(Unavailable), database.unit(GUARD, SITE) as unit:
            unit.rows.execute(text("INSERT INTO kept VALUES (2)"))
            server.stop()
            unit.rows.execute(text("INSERT INTO kept VALUES (3)"))
        with pytest.raises(Unavailable, match="does not answer"), database.reading(GUARD, SITE) as unit:
            unit.rows.execute(text("SELECT 1"))
        server.start()
        with database.unit(GUARD, SITE) as unit:
            assert unit.rows.execute(text("SELECT number FROM kept")).all() == [(1,)]
        engine.dispose()


def _running(database: Database, do: Any, done: list[int]) -> Callable[[], None]:
    return lambda: done.append(run_due(database, {"thing.do": do}))


def _together(*parts: Callable[[], None]) -> None:
    threads = [threading.Thread(target=part) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
