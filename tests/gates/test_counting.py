"""Who counts as being inside, whatever is told late, twice, or not at all."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorward.core.wire import OfflineOutcome
from doorward.gates.model import Factor, Gate, Strictness, Zone
from doorward.platform.db import Database
from tests.conftest import SteppingClock
from tests.gates.journals import Journal, decision
from tests.gates.scene import CARD_GATE, HALL, OUT_GATE, Scene, plate

STRICT = replace(HALL, area_passback=Strictness.HARD)
YARD = Zone(id="zone_yard", name="Yard")
YARD_GATE = Gate(id="gate_yard", name="Yard", factors=((Factor.CARD,),), to_zone_id="zone_yard")
PAIRED = Gate(
    id="gate_two",
    name="Two",
    factors=((Factor.CARD,), (Factor.PLATE,)),
    two_person_seconds=30,
    from_zone_id="zone_yard",
    to_zone_id="zone_hall",
)


@pytest.fixture
def strict(database: Database, clock: SteppingClock) -> Scene:
    scene = Scene(database, clock)
    scene.set(STRICT, YARD, YARD_GATE, PAIRED)
    scene.register(CARD_GATE.id, OUT_GATE.id, YARD_GATE.id, PAIRED.id)
    return scene


@pytest.fixture
def journal(scene: Scene) -> Journal:
    return Journal(scene)


def test_who_left_stays_outside_when_an_earlier_entry_is_told_late(
    strict: Scene, clock: SteppingClock
) -> None:
    journal = Journal(strict)
    journal.opened()
    clock.advance(minutes=5)
    strict.report(strict.card(gate_id="gate_out"))
    clock.advance(minutes=5)
    journal.replay()
    assert strict.inside() == []
    assert strict.card().opens


def test_who_left_without_the_server_counts_as_outside_if_the_agent_knew_them(
    strict: Scene, clock: SteppingClock
) -> None:
    strict.report(strict.card())
    journal = Journal(strict)
    clock.advance(minutes=1)
    number = journal.add(decision(subject_id="person_ada"), "gate_out")
    journal.add(OfflineOutcome(about=number, moved=True), "gate_out")
    journal.replay()
    assert strict.inside() == []
    assert strict.alarms() == []


def test_somebody_unknown_who_left_without_the_server_makes_the_count_unsure(strict: Scene) -> None:
    strict.report(strict.card())
    journal = Journal(strict)
    number = journal.add(decision(), "gate_out")
    journal.add(OfflineOutcome(about=number, moved=True), "gate_out")
    journal.replay()
    assert strict.alarms() == ["count-unsure"]


def test_a_permit_that_was_lost_and_then_refused_alone_counts_nobody(
    strict: Scene, clock: SteppingClock
) -> None:
    permit = strict.card()
    clock.advance(seconds=40)
    strict.sweep()
    journal = Journal(strict)
    journal.add(decision(opens=False, instead_of=permit.sequence))
    journal.replay()
    assert strict.states() == [("failed", "granted")]
    assert strict.inside() == []


def test_a_permit_without_outcome_counts_until_its_agent_speaks_again(
    strict: Scene, clock: SteppingClock
) -> None:
    permit = strict.card()
    clock.advance(seconds=60)
    strict.sweep()
    assert strict.inside() == ["person_ada"]
    strict.ask_the_time()
    strict.sweep()
    assert strict.inside() == []
    assert strict.card().opens
    strict.report(permit)
    assert strict.inside() == ["person_ada"]


def test_an_outcome_told_late_after_all_counts_again(strict: Scene, clock: SteppingClock) -> None:
    permit = strict.card()
    clock.advance(seconds=60)
    strict.ask_the_time()
    strict.sweep()
    assert strict.inside() == []
    strict.report(permit)
    assert strict.inside() == ["person_ada"]
    assert strict.card().because == "passed-back"


def test_a_jam_keeps_the_pardon(strict: Scene) -> None:
    strict.report(strict.card())
    assert strict.card().because == "passed-back"
    strict.forgive("person_ada")
    strict.report(strict.card(), moved=False)
    assert strict.inside() == ["person_ada"]
    assert strict.card().opens
    assert strict.card().because == "passed-back"


def test_a_jam_puts_each_of_two_back_where_they_came_from(strict: Scene) -> None:
    strict.report(strict.card("bob", YARD_GATE.id))
    assert strict.card("bob", PAIRED.id).because == "second-person-needed"
    permit = strict.card("ada", PAIRED.id)
    assert strict.inside() == ["person_ada", "person_bob"]
    strict.report(permit, moved=False)
    assert (strict.inside(), strict.inside("zone_yard")) == ([], ["person_bob"])


def test_time_counts_from_the_latest_passage_however_late_another_is_told(
    strict: Scene, clock: SteppingClock
) -> None:
    strict.set(replace(HALL, timed_passback=Strictness.HARD, timed_passback_seconds=60))
    journal = Journal(strict)
    journal.opened()
    clock.advance(minutes=9)
    strict.report(strict.card())
    clock.advance(seconds=5)
    journal.replay()
    assert strict.card().because == "too-soon"


def test_time_counts_for_the_second_of_two_as_well(strict: Scene, clock: SteppingClock) -> None:
    strict.set(replace(HALL, timed_passback=Strictness.HARD, timed_passback_seconds=60))
    strict.card("bob", PAIRED.id)
    strict.report(strict.card("ada", PAIRED.id))
    clock.advance(seconds=5)
    assert strict.card("bob").because == "too-soon"
    assert strict.card("ada").because == "too-soon"


def test_a_clock_that_was_set_back_keeps_nobody_out_and_hides_no_missing_outcome(
    strict: Scene, clock: SteppingClock
) -> None:
    strict.set(replace(HALL, timed_passback=Strictness.HARD, timed_passback_seconds=60))
    permit = strict.card()
    clock.advance(seconds=20)
    assert strict.card().because == "too-soon"
    clock.advance(hours=-1)
    strict.sweep()
    assert "no-outcome" in strict.alarms()
    assert strict.card().opens
    strict.report(permit)


def test_leaving_without_having_entered_is_noted(strict: Scene) -> None:
    assert strict.card(gate_id="gate_out").opens
    assert strict.alarms() == ["rule-broken"]
    strict.report(strict.card("bob"))
    assert strict.card("bob", "gate_out").opens
    assert strict.alarms() == ["rule-broken"]


def test_one_driver_with_plate_and_card_is_one(strict: Scene) -> None:
    assert strict.admit(strict.sighting(PAIRED.id, plate=plate())).because == "second-person-needed"
    assert strict.card("ada", PAIRED.id).because == "second-person-needed"
    assert strict.admit(strict.sighting(PAIRED.id, plate=plate())).because == "second-person-needed"


def test_a_second_person_suspended_or_denied_meanwhile_does_not_count(strict: Scene) -> None:
    strict.card("bob", PAIRED.id)
    strict.limit("person_bob", suspended=True)
    assert strict.card("ada", PAIRED.id).because == "second-person-needed"
    del strict.memory.subjects["person_bob"]
    assert strict.card("ada", PAIRED.id).because == "second-person-needed"


def test_two_do_not_fit_into_one_place(strict: Scene) -> None:
    strict.set(replace(HALL, capacity=1))
    strict.card("bob", PAIRED.id)
    assert strict.card("ada", PAIRED.id).because == "zone-full"
    assert strict.inside() == []


passings = st.lists(
    st.tuples(st.sampled_from(["in", "out"]), st.sampled_from(["online", "offline"]), st.booleans()),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passings)
def test_where_somebody_is_depends_on_when_they_moved_and_not_on_when_it_was_told(
    scene: Scene, journal: Journal, passings: list[tuple[str, str, bool]]
) -> None:
    is_inside = bool(scene.inside())
    for way, line, moved in passings:
        scene.clock.advance(minutes=1)
        gate_id = CARD_GATE.id if way == "in" else OUT_GATE.id
        if line == "online":
            scene.report(scene.card(gate_id=gate_id), moved=moved)
        else:
            number = journal.add(decision(subject_id="person_ada"), gate_id)
            journal.add(OfflineOutcome(about=number, moved=moved), gate_id)
        if moved:
            is_inside = way == "in"
    if journal.entries:
        journal.replay()
    assert bool(scene.inside()) == is_inside
