"""The background worker: every duty at every site, and no fault of one keeps the others waiting."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from faker import Faker

from doorward.app.clockwatch import ClockWatch
from doorward.app.house import House, create_house, open_house
from doorward.app.schedule import Every, Worker
from doorward.app.wiring import build_worker
from doorward.audit.service import list_entries
from doorward.core.errors import Invalid
from doorward.core.permissions import system_actor
from doorward.core.wire import Sighting, seal_message
from doorward.gates.model import AlarmKind, PassageState, SiteRules
from doorward.gates.service import Wanted, admit, list_alarms, list_passages, set_site_rules
from doorward.people.model import Basis, Kind
from doorward.people.service import NewPerson, add_person, list_persons
from doorward.platform.db import Database, Unit
from doorward.platform.jobs import enqueue
from doorward.platform.paging import PageRequest
from tests.conftest import GUARD, SITE, SteppingClock
from tests.faults.site import AGENT, AGENT_KEY, CARD, GATE, employ, plan

ALL = PageRequest(None, 200)
ELSEWHERE = "site_elsewhere"


@dataclass
class Duties:
    """A worker with two duties, and what it did; `bad` fails at the site that it names."""

    database: Database
    done: list[tuple[str, str]] = field(default_factory=list)
    sites: list[str] = field(default_factory=lambda: [SITE])
    bad: str = ""
    runs: float = 0.0

    def worker(self) -> Worker:
        minute = timedelta(minutes=1)
        schedule = {
            "first": Every(minute, self._first),
            "second": Every(minute, self._second),
            "house": Every(minute, self._house, at_every_site=False),
        }
        return Worker(
            self.database,
            SITE,
            {"a.job": self._job},
            schedule,
            sites=lambda unit: self.sites,
            monotonic=lambda: self.runs,
        )

    def _first(self, unit: Unit, facts: dict[str, Any]) -> None:
        self.done.append(("first", unit.site_id))
        if unit.site_id == self.bad:
            raise Invalid("This record cannot be read.")

    def _second(self, unit: Unit, facts: dict[str, Any]) -> None:
        self.done.append(("second", unit.site_id))

    def _house(self, unit: Unit, facts: dict[str, Any]) -> None:
        self.done.append(("house", unit.site_id))

    def _job(self, unit: Unit, facts: dict[str, Any]) -> None:
        self.done.append(("job", unit.site_id))

    def took(self, worker: Worker) -> list[tuple[str, str]]:
        self.done.clear()
        worker.turn()
        return list(self.done)


def test_a_duty_is_done_at_every_site_also_at_one_that_comes_later(database: Database) -> None:
    duties = Duties(database)
    worker = duties.worker()
    assert duties.took(worker) == [("first", SITE), ("second", SITE), ("house", SITE)]
    assert duties.took(worker) == []
    duties.sites.append(ELSEWHERE)
    duties.runs += 11
    assert duties.took(worker) == [("first", ELSEWHERE), ("second", ELSEWHERE)]
    duties.runs += 60
    assert len(duties.took(worker)) == 5


def test_a_duty_that_fails_keeps_no_other_waiting_and_is_tried_again_ever_less_often(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    duties = Duties(database, sites=[SITE, ELSEWHERE], bad=SITE)
    worker = duties.worker()
    assert len(duties.took(worker)) == 5
    tried = []
    for second in range(40):
        duties.runs = float(second)
        tried += [second] * len(duties.took(worker))
    assert tried == [2, 6, 14, 30]
    [first, *_] = [entry for entry in caplog.records if entry.levelno == logging.ERROR]
    assert (vars(first)["duty"], vars(first)["site"], vars(first)["code"]) == ("first", SITE, "invalid")
    duties.bad, duties.runs = "", 400.0
    assert len(duties.took(worker)) == 5
    duties.runs += 30
    assert duties.took(worker) == []


def test_a_clock_that_is_set_moves_no_duty_and_delays_no_job(
    database: Database, clock: SteppingClock
) -> None:
    duties = Duties(database)
    worker = duties.worker()
    worker.turn()
    for hours in (9, -20):
        clock.advance(hours=hours)
        assert duties.took(worker) == []
    clock.advance(hours=10)
    with database.unit(GUARD, SITE) as unit:
        enqueue(unit, "a.job")
    clock.advance(hours=-10)
    assert duties.took(worker) == [("job", SITE)]


@pytest.fixture
def house(tmp_path: Path, clock: SteppingClock) -> Iterator[House]:
    create_house(tmp_path / "site").close()
    opened = open_house(tmp_path / "site", clock)
    yield opened
    opened.close()


def visitor(house: House, site_id: str, clock: SteppingClock) -> None:
    with house.database.unit(GUARD, site_id) as unit:
        until = clock.now + timedelta(hours=4)
        told = NewPerson(name=Faker().name(), basis=Basis.CONSENT, kind=Kind.VISITOR, valid_until=until)
        add_person(unit, house.vault, told)


def test_visitors_of_every_site_are_erased_when_their_time_has_come(
    house: House, clock: SteppingClock
) -> None:
    for site_id in (house.site_id, ELSEWHERE):
        visitor(house, site_id, clock)
    clock.advance(days=2)
    build_worker(house).turn()
    for site_id in (house.site_id, ELSEWHERE):
        with house.database.unit(GUARD, site_id) as unit:
            assert list_persons(unit, ALL) == []


def test_the_log_says_when_the_servers_clock_was_set_and_setting_it_back_raises_an_alarm(
    house: House, clock: SteppingClock
) -> None:
    runs = [0.0]
    watch = ClockWatch(monotonic=lambda: runs[0])
    jumps = []
    for seconds, hours in ((10, 0), (10, 3), (10, 0), (10, -5), (10, 0)):
        runs[0] += seconds
        clock.advance(seconds=seconds, hours=hours)
        with house.unit() as unit:
            jumps.append(round(watch.look(unit) / 3600))
    assert jumps == [0, 3, 0, -5, 0]
    with house.unit() as unit:
        said = [entry.facts for entry in list_entries(unit, ALL, event="server.clock-set").items]
        alarms = [(alarm.kind, alarm.place_id) for alarm in list_alarms(unit, ALL, waiting=True)]
    assert said == ['{"seconds":-18000}', '{"seconds":10800}']
    assert alarms == [(AlarmKind.BACKWARD_CLOCK, "server")]


def test_a_permit_without_an_outcome_is_found_at_every_site(house: House, clock: SteppingClock) -> None:
    with house.database.unit(system_actor("test"), ELSEWHERE) as unit:
        set_site_rules(unit, SiteRules())
        plan(unit, house, employ(unit, house))
        sighting = Sighting(agent_id=AGENT, gate_id=GATE, sequence=1, seen_at=clock.now, card=CARD)
        admit(unit, house.post, seal_message(AGENT_KEY, AGENT, sighting))
    clock.advance(minutes=2)
    build_worker(house).turn()
    with house.database.unit(system_actor("test"), ELSEWHERE) as unit:
        [found] = list_passages(unit, Wanted(), ALL)
    assert found.passage.state is PassageState.UNREPORTED
