"""Of two doors in a row one at a time, and nobody stays in between."""

from dataclasses import replace

import pytest

from doorward.core.wire import Door
from doorward.gates import service
from doorward.gates.model import Direction, Factor, Gate
from doorward.platform.db import Database
from tests.conftest import SteppingClock
from tests.gates.scene import CARD_GATE, OUT_GATE, Scene

OUTER = Gate(id="gate_outer", name="Outer", factors=((Factor.CARD,),), interlock_id="trap", open_seconds=10)
INNER = replace(OUTER, id="gate_inner", name="Inner")
EXIT = replace(INNER, id="gate_back", name="Back", door_id=INNER.id, direction=Direction.OUT)


@pytest.fixture
def trap(database: Database, clock: SteppingClock) -> Scene:
    """Two doors that both say they are closed, and a way out of the space between them."""
    scene = Scene(database, clock)
    scene.set(OUTER, INNER, EXIT)
    scene.register(CARD_GATE.id, OUT_GATE.id, OUTER.id, INNER.id, EXIT.id)
    for gate in (OUTER, INNER):
        scene.tell(Door.CLOSED, gate.id)
    return scene


def test_the_second_door_waits_until_the_first_has_closed(trap: Scene, clock: SteppingClock) -> None:
    permit = trap.card(gate_id=OUTER.id)
    assert permit.opens
    assert trap.card("bob", INNER.id).because == "interlocked"
    trap.report(permit)
    assert trap.card("bob", INNER.id).because == "interlocked"
    clock.advance(seconds=1)
    trap.tell(Door.OPENED, OUTER.id)
    assert trap.card("bob", INNER.id).because == "interlocked"
    clock.advance(seconds=3)
    trap.tell(Door.CLOSED, OUTER.id)
    assert trap.card("bob", INNER.id).opens


def test_a_permit_nobody_used_holds_the_other_door_until_the_strike_locks_again(
    trap: Scene, clock: SteppingClock
) -> None:
    assert trap.card(gate_id=OUTER.id).opens
    clock.advance(seconds=14)
    assert trap.card("bob", INNER.id).because == "interlocked"
    clock.advance(seconds=1)
    assert trap.card("bob", INNER.id).opens


def test_many_who_are_refused_do_not_hide_the_one_who_was_let_in(trap: Scene) -> None:
    assert trap.card(gate_id=OUTER.id).opens
    for _ in range(60):
        trap.card("nobody", OUTER.id)
    assert trap.card("bob", INNER.id).because == "interlocked"


def test_a_door_that_never_said_it_is_closed_counts_as_open(scene: Scene) -> None:
    scene.set(OUTER, INNER)
    scene.register(OUTER.id, INNER.id)
    assert scene.card(gate_id=OUTER.id).because == "interlocked"
    scene.tell(Door.TAMPERED, INNER.id)
    scene.tell(Door.TAMPER_CLEARED, INNER.id)
    assert scene.card(gate_id=OUTER.id).because == "interlocked"
    scene.tell(Door.CLOSED, INNER.id)
    assert scene.card(gate_id=OUTER.id).opens


def test_a_door_without_a_contact_counts_by_its_permits(scene: Scene, clock: SteppingClock) -> None:
    scene.set(replace(OUTER, has_contact=False), replace(INNER, has_contact=False))
    scene.register(OUTER.id, INNER.id)
    assert scene.card(gate_id=OUTER.id).opens
    assert scene.card("bob", INNER.id).because == "interlocked"
    clock.advance(seconds=15)
    assert scene.card("bob", INNER.id).opens


def test_after_a_silence_any_word_of_the_agent_brings_its_doors_back(
    trap: Scene, clock: SteppingClock
) -> None:
    clock.advance(minutes=15)
    trap.sweep()
    assert trap.statuses(OUTER.id, INNER.id) == ["offline", "offline"]
    trap.ask_the_time()
    assert trap.statuses(OUTER.id, INNER.id) == ["closed", "closed"]
    assert trap.card(gate_id=OUTER.id).opens
    clock.advance(minutes=15)
    trap.sweep()
    assert trap.card("bob", INNER.id).opens
    assert trap.statuses(OUTER.id, INNER.id) == ["closed", "closed"]


def test_a_way_out_waits_for_an_open_door_half_a_minute_at_most(trap: Scene, clock: SteppingClock) -> None:
    trap.set(replace(OUTER, held_after_seconds=3600))
    trap.report(trap.card(gate_id=OUTER.id))
    trap.tell(Door.OPENED, OUTER.id)
    assert trap.card("bob", EXIT.id).because == "interlocked"
    clock.advance(seconds=29)
    assert trap.card("bob", EXIT.id).because == "interlocked"
    clock.advance(seconds=1)
    assert trap.card("bob", EXIT.id).opens


def test_people_who_keep_coming_in_do_not_keep_anybody_from_leaving(
    trap: Scene, clock: SteppingClock
) -> None:
    waited = 0
    while True:
        trap.report(trap.card(gate_id=OUTER.id))
        trap.tell(Door.OPENED, OUTER.id)
        if trap.card("bob", EXIT.id).opens:
            break
        clock.advance(seconds=5)
        waited += 5
        trap.tell(Door.CLOSED, OUTER.id)
    assert waited == 30


def test_only_an_agent_that_still_counts_can_be_silent(trap: Scene, clock: SteppingClock) -> None:
    with trap.unit() as unit:
        service.revoke_agent(unit, trap.post, "agent_1")
    clock.advance(minutes=15)
    trap.sweep()
    assert trap.alarms() == []
