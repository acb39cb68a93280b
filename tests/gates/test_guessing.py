"""Faces tried one after the other."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.gates.model import Direction, Factor, Gate, Guesses, Identification, SiteRules, Verb
from doorward.gates.rules.guessing import FREE, must_wait, wait_after
from doorward.gates.service import set_site_rules
from tests.conftest import SteppingClock
from tests.gates.scene import Scene, face
from tests.gates.worlds import NOON

MANY = Gate(id="gate_many", name="Many", factors=((Factor.FACE,),), identification=Identification.ONE_TO_MANY)
EITHER = Gate(id="gate_either", name="Either")  # card and face, or card and PIN
AN_HOUR = timedelta(hours=1)


def ask(scene: Scene, gate: Gate, *, live: bool = True, **facts: object) -> str | None:
    return scene.admit(scene.sighting(gate.id, face=face(live=live), **facts)).because


def test_after_five_strange_faces_a_gate_looks_at_no_more_for_a_while(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.add_gate(MANY)
    assert [ask(scene, MANY) for _ in range(6)] == ["unknown"] * 5 + ["face-delayed"]
    assert scene.alarms() == ["face-guessed"]
    clock.advance(seconds=10)
    assert [ask(scene, MANY) for _ in range(2)] == ["unknown", "face-delayed"]
    clock.advance(seconds=10)
    assert ask(scene, MANY) == "face-delayed"
    scene.memory.face_of = "person_ada"
    clock.advance(seconds=10)
    assert [ask(scene, MANY) for _ in range(2)] == ["granted", "granted"]


def test_a_stranger_all_night_gets_few_attempts(scene: Scene, clock: SteppingClock) -> None:
    scene.add_gate(MANY)
    told = []
    for _ in range(500):
        told.append(ask(scene, MANY))
        clock.advance(seconds=4)
    assert told.count("unknown") < 20


def test_a_card_whose_face_does_not_fit_waits_and_its_pin_still_opens(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.add_gate(EITHER)
    scene.memory.face_of = "person_bob"
    answers = [ask(scene, EITHER, card="card-ada") for _ in range(6)]
    assert answers == ["face-mismatch"] * 5 + ["face-delayed"]
    assert ask(scene, EITHER, card="card-ada", pin="1111") == "granted"
    assert ask(scene, EITHER, card="card-bob") == "granted"
    assert scene.alarms() == ["face-guessed"]


def test_a_face_that_fits_begins_the_count_anew(scene: Scene) -> None:
    scene.add_gate(EITHER)
    for _ in range(3):
        scene.memory.face_of = "person_bob"
        assert [ask(scene, EITHER, card="card-ada") for _ in range(4)] == ["face-mismatch"] * 4
        scene.memory.face_of = "person_ada"
        assert ask(scene, EITHER, card="card-ada") == "granted"
    assert scene.alarms() == []


def test_failed_challenges_with_one_card_wait_and_its_pin_still_opens(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.add_gate(EITHER)
    scene.memory.face_of = "person_ada"
    answers = [ask(scene, EITHER, live=False, card="card-ada") for _ in range(6)]
    assert answers == ["liveness-failed"] * 5 + ["face-delayed"]
    assert scene.alarms() == ["face-guessed"]
    assert ask(scene, EITHER, card="card-ada") == "face-delayed"
    assert ask(scene, EITHER, live=False, card="card-ada", pin="1111") == "granted"
    scene.memory.face_of = "person_bob"
    assert ask(scene, EITHER, card="card-bob") == "granted"
    clock.advance(seconds=10)
    scene.memory.face_of = "person_ada"
    assert ask(scene, EITHER, card="card-ada") == "granted"
    assert ask(scene, EITHER, live=False, card="card-ada") == "liveness-failed"


def test_failed_challenges_where_everybody_is_looked_up_delay_whose_face_it_is(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.add_gate(MANY)
    scene.memory.face_of = "person_ada"
    answers = [ask(scene, MANY, live=False) for _ in range(6)]
    assert answers == ["liveness-failed"] * 5 + ["face-delayed"]
    assert scene.alarms() == ["face-guessed"]
    assert ask(scene, MANY) == "face-delayed"
    scene.memory.face_of = "person_bob"
    assert ask(scene, MANY) == "granted"
    clock.advance(seconds=10)
    scene.memory.face_of = "person_ada"
    assert [ask(scene, MANY, live=live) for live in (True, False)] == ["granted", "liveness-failed"]


def test_a_picture_shown_all_night_gets_few_attempts_at_the_challenge(
    scene: Scene, clock: SteppingClock
) -> None:
    scene.add_gate(MANY)
    scene.memory.face_of = "person_ada"
    told = []
    for _ in range(500):
        told.append(ask(scene, MANY, live=False))
        clock.advance(seconds=4)
    assert told.count("liveness-failed") < 16


def test_strangers_who_walk_past_a_challenge_keep_nobody_waiting(scene: Scene) -> None:
    scene.add_gate(MANY)
    assert {ask(scene, MANY, live=False) for _ in range(20)} == {"liveness-failed"}
    scene.memory.face_of = "person_ada"
    assert ask(scene, MANY) == "granted"
    assert scene.alarms() == []


def test_an_order_opens_to_those_whose_faces_wait(scene: Scene) -> None:
    scene.add_gate(MANY)
    scene.memory.face_of = "person_ada"
    for _ in range(6):
        ask(scene, MANY, live=False)
    scene.order(Verb.FIRE)
    assert ask(scene, MANY, live=False) == "fire"


def test_ways_out_neither_wait_nor_count(scene: Scene) -> None:
    scene.add_gate(Gate(id="gate_back", name="Back", direction=Direction.OUT, factors=MANY.factors))
    for face_of in (None, "person_ada"):
        scene.memory.face_of = face_of
        for live in [True] * 10 + [False] * 10:
            assert scene.admit(scene.sighting("gate_back", face=face(live=live))).opens
    assert "face-guessed" not in scene.alarms()


@given(st.integers(0, 10_000))
def test_each_failure_after_the_first_few_costs_at_least_as_much_time(failures: int) -> None:
    wait = wait_after(failures, AN_HOUR)
    assert wait <= wait_after(failures + 1, AN_HOUR) <= AN_HOUR
    assert (wait == timedelta(0)) == (failures < FREE)


@given(st.integers(FREE, 100), st.integers(-7200, 7200))
def test_no_clock_makes_anybody_wait_longer_than_the_longest_wait(failures: int, seconds: int) -> None:
    guesses = Guesses(about="gate_many", failures=failures, last_at=NOON)
    now = NOON + timedelta(seconds=seconds)
    if must_wait(guesses, now, timedelta(minutes=5)):
        assert 0 <= seconds < 300


@pytest.mark.parametrize(
    "gate",
    [
        Gate(id="g", name="G", one_in=99),
        Gate(id="g", name="G", identification=Identification.ONE_TO_MANY, one_in=49),
    ],
)
def test_a_promise_has_a_floor_at_each_gate(scene: Scene, gate: Gate) -> None:
    with pytest.raises(Invalid):
        scene.set(gate)


def test_a_promise_has_a_floor_at_the_site(scene: Scene) -> None:
    with scene.unit() as unit:
        for rules in (SiteRules(one_in_verifying=99), SiteRules(one_in_identifying=49)):
            with pytest.raises(Invalid):
                set_site_rules(unit, rules)
