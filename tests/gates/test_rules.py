from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.gates.model import (
    AlarmKind,
    DoorEvent,
    DoorState,
    DoorStatus,
    Factor,
    OccupancyEvent,
    Order,
    Presence,
    Reason,
    Refusal,
    RollCall,
    Verb,
)
from doorward.gates.rules.crowd import occupancy_event
from doorward.gates.rules.doors import step
from doorward.gates.rules.factors import parse_factors, write_factors
from doorward.gates.rules.orders import orders_at
from doorward.gates.rules.rollcall import expected_from, missing
from tests.gates.worlds import EXIT, GATE, NOON, factor_rules

CLOSED = DoorState(door_id="door_1")
Event = tuple[int, DoorEvent]


def after(*events: Event) -> tuple[DoorStatus, list[AlarmKind]]:
    state, raised = CLOSED, list[AlarmKind]()
    for seconds, event in events:
        state, alarms = step(state, event, NOON + timedelta(seconds=seconds), open_seconds=5, held_after=20)
        raised += alarms
    return state.status, raised


@pytest.mark.parametrize(
    ("events", "status", "alarms"),
    [
        ([(0, DoorEvent.PERMITTED), (1, DoorEvent.OPENED)], "open", []),
        ([(0, DoorEvent.EXIT_REQUESTED), (1, DoorEvent.OPENED)], "open", []),
        ([(0, DoorEvent.OPENED)], "forced", ["door-forced"]),
        ([(0, DoorEvent.PERMITTED), (6, DoorEvent.OPENED)], "forced", ["door-forced"]),
        ([(0, DoorEvent.PERMITTED), (1, DoorEvent.OPENED), (20, DoorEvent.TIME_PASSED)], "open", []),
        (
            [(0, DoorEvent.PERMITTED), (1, DoorEvent.OPENED), (21, DoorEvent.TIME_PASSED)],
            "held",
            ["door-held"],
        ),
        (
            [
                (0, DoorEvent.PERMITTED),
                (1, DoorEvent.OPENED),
                (2, DoorEvent.CLOSED),
                (3, DoorEvent.OPENED),
            ],
            "forced",
            ["door-forced"],
        ),
        ([(0, DoorEvent.EXIT_REQUESTED)], "closed", []),
        ([(0, DoorEvent.TAMPERED), (1, DoorEvent.TAMPERED)], "tampered", ["door-tampered"]),
        ([(0, DoorEvent.TAMPERED), (1, DoorEvent.TAMPER_CLEARED)], "closed", ["door-tampered"]),
        ([(0, DoorEvent.WENT_OFFLINE), (1, DoorEvent.CAME_ONLINE)], "closed", ["door-offline"]),
    ],
)
def test_a_door_means_what_its_sensors_say(events: list[Event], status: str, alarms: list[str]) -> None:
    assert after(*events) == (status, alarms)


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from(DoorEvent)), max_size=20))
def test_a_door_that_says_closed_is_closed_and_never_alarms_without_cause(events: list[Event]) -> None:
    status, _ = after(*events, (200, DoorEvent.CLOSED))
    assert status in {DoorStatus.CLOSED, DoorStatus.TAMPERED, DoorStatus.OFFLINE}
    _, raised = after(*[(at, event) for at, event in events if event is not DoorEvent.OPENED])
    assert AlarmKind.DOOR_FORCED not in raised


@given(factor_rules)
def test_a_factor_rule_reads_as_written(rule: tuple[tuple[Factor, ...], ...]) -> None:
    assert parse_factors(write_factors(rule)) == rule


@pytest.mark.parametrize("text", ["", "pin", "card +", "face or", "card | pin", "eyes", "card face"])
def test_a_factor_rule_that_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_factors(text)


def test_and_or_and_signs_mean_the_same() -> None:
    assert parse_factors("CARD and FACE OR qr") == parse_factors("card+face|qr")


@pytest.mark.parametrize(
    ("before", "now", "event"),
    [
        (1, 2, None),
        (2, 3, OccupancyEvent.REACHED),
        (3, 4, OccupancyEvent.EXCEEDED),
        (5, 4, None),
        (4, 3, OccupancyEvent.REACHED),
        (3, 2, OccupancyEvent.BELOW),
        (3, 3, None),
    ],
)
def test_a_head_count_says_when_a_limit_is_reached_passed_or_left(
    before: int, now: int, event: OccupancyEvent | None
) -> None:
    assert occupancy_event(before, now, 3) is event


def test_an_order_reaches_its_gate_its_zone_or_the_site() -> None:
    def order(**where: Any) -> Order:
        return Order(id="o", verb=Verb.LOCK, reason=Reason.OTHER, since=NOON, by="staff_guard", **where)

    assert orders_at(GATE, [order(gate_id="gate_front")], NOON) == {Verb.LOCK}
    assert orders_at(GATE, [order(gate_id="gate_other")], NOON) == frozenset()
    assert orders_at(EXIT, [order(zone_id="zone_hall")], NOON) == {Verb.LOCK}
    assert orders_at(EXIT, [order()], NOON) == {Verb.LOCK}


def test_a_roll_call_looks_once_for_everybody_inside_and_misses_the_unmarked() -> None:
    inside = [
        Presence(subject_id="person_ada", zone_id="zone_hall", since=NOON, passage_id="p1"),
        Presence(subject_id="person_ada", zone_id="zone_yard", since=NOON + timedelta(1), passage_id="p2"),
        Presence(subject_id="person_bob", zone_id="zone_hall", since=NOON, passage_id="p3"),
    ]
    call = RollCall(id="r", drill=True, started_at=NOON, started_by="staff_guard")
    people = expected_from(call, inside)
    assert [(one.subject_id, one.zone_id) for one in people] == [
        ("person_bob", "zone_hall"),
        ("person_ada", "zone_yard"),
    ]
    assert missing(people) == people


def test_the_operators_page_explains_every_word() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operate" / "decisions.md").read_text()
    words = {word.value for kind in (Refusal, AlarmKind, Verb) for word in kind}
    assert not {word for word in words if f"`{word}`" not in page}
