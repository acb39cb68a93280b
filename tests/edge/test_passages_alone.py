from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from doorward.core.encoding import to_text
from doorward.core.wire import (
    Direction,
    Mode,
    OfflineDecision,
    OfflineOutcome,
    PlateEvidence,
)
from doorward_edge.alone import Because
from doorward_edge.passage import FaceSeen, Seen
from tests.edge.world import CARD, ORDERS, SERVER_KEY, STRANGER_KEY, World

FACE = FaceSeen(template=np.zeros(128, np.float32), frames=4, quality=12.0)
PLATE = PlateEvidence(candidates=(("AB123C", 0.9),), minimum_character_confidence=0.9, frames=4)
GOOD, WRONG = Seen(card=CARD), Seen(card="other")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


OFFLINE = [
    (Seen(card=CARD), True, None),
    (Seen(card=f" {CARD} "), True, None),
    (Seen(card="other"), False, Because.UNKNOWN),
    (Seen(qr=CARD), False, Because.UNKNOWN),
    (Seen(face=FACE), False, Because.NOTHING),
    (Seen(pin="4711"), False, Because.NOTHING),
    (Seen(card=CARD, face=FACE, pin="1"), True, None),
    (Seen(plate=PLATE), True, None),
    (Seen(plate=replace(PLATE, frames=1)), False, Because.NOTHING),
    (Seen(plate=replace(PLATE, minimum_character_confidence=0.1)), False, Because.NOTHING),
    (Seen(card=CARD, plate=PLATE), False, Because.MIXED),
    (Seen(card="other", plate=PLATE), False, Because.UNKNOWN),
]


@pytest.mark.parametrize(("seen", "opens", "because"), OFFLINE)
def test_alone_the_agent_opens_only_to_what_the_policy_names(
    world: World, seen: Seen, opens: bool, because: str | None
) -> None:
    world.cut()
    decision = world.doorman.pass_one(seen)
    assert (decision.opens, decision.because, decision.offline) == (opens, because, True)
    assert world.barrier.openings == ([4] if opens else [])


def _expired(world: World) -> None:
    world.clock.advance(24 * 3600 - 1)
    world.server.away = True
    world.clock.advance(2)


def _after_hours(world: World) -> None:
    world.clock.advance(9 * 3600)


def _forward(world: World) -> None:
    world.clock.time += timedelta(hours=3)


def _back(world: World) -> None:
    world.clock.time -= timedelta(hours=3)


@pytest.mark.parametrize(
    ("happens", "because"),
    [
        (_expired, Because.CLOCK),
        (_after_hours, Because.HOURS),
        (_forward, Because.CLOCK),
        (_back, Because.CLOCK),
    ],
)
def test_alone_the_agent_refuses_in_doubt_about_hours(
    world: World, happens: Callable[[World], None], because: str
) -> None:
    world.server.away = True
    happens(world)
    world.upkeep.lost()
    assert world.doorman.pass_one(GOOD).because == because
    assert world.barrier.openings == []


def test_a_measured_clock_is_trusted_again(world: World) -> None:
    world.cut()
    _forward(world)
    assert world.doorman.pass_one(GOOD).because == Because.CLOCK
    world.clock.time -= timedelta(hours=3)
    world.mend()
    world.cut()
    assert world.doorman.pass_one(GOOD).moved


def test_in_lockdown_nobody_enters_and_in_evacuation_everybody_passes(world: World) -> None:
    world.server.mode = Mode.LOCKDOWN
    world.upkeep.round()
    world.cut()
    assert world.doorman.pass_one(GOOD).because == Because.LOCKDOWN
    world.server.mode = Mode.EVACUATION
    world.mend()
    world.cut()
    assert world.doorman.pass_one(Seen(face=FACE)).moved


def test_after_a_restart_without_a_server_nobody_enters(world: World) -> None:
    world.server.away = True
    world.restart()
    assert world.doorman.pass_one(GOOD).because == Because.NO_POLICY
    assert world.barrier.openings == []


def test_a_way_out_opens_whatever_fails(tmp_path: Path) -> None:
    world = World(tmp_path, orders=replace(ORDERS, direction=Direction.OUT))
    world.server.direction = Direction.OUT
    world.upkeep.round()
    assert world.doorman.pass_one(GOOD).moved
    world.server.key = STRANGER_KEY
    assert world.doorman.pass_one(WRONG).moved
    world.cut()
    _forward(world)
    assert world.doorman.pass_one(Seen(face=FACE)).moved
    world.restart()
    assert world.doorman.pass_one(WRONG).moved
    assert world.doorman.after_a_fault(WRONG).moved
    assert len(world.barrier.openings) == 5
    world.post.state.close()


def test_the_journal_tells_the_server_everything_once_and_in_order(world: World) -> None:
    world.cut()
    for seen in (GOOD, WRONG, GOOD):
        world.doorman.pass_one(seen)
    world.mend()
    facts = [fact for _, fact in world.server.journal]
    decisions = [fact for fact in facts if isinstance(fact, OfflineDecision)]
    assert [(d.opens, d.because, d.subject_id) for d in decisions] == [
        (True, None, "person_a"),
        (False, Because.UNKNOWN, None),
        (True, None, "person_a"),
    ]
    assert [fact.moved for fact in facts if isinstance(fact, OfflineOutcome)] == [True, True]
    sequences = [entry.sequence for entry, _ in world.server.journal]
    assert sequences == sorted(set(sequences))
    assert world.post.state.journal_length() == 0
    world.doorman.pass_one(GOOD)
    assert world.server.sightings[-1].sequence > sequences[-1]


def test_a_passage_decided_by_both_sides_is_told_as_one(world: World) -> None:
    world.server.lose_answers = 2
    decision = world.doorman.pass_one(GOOD)
    assert decision.offline
    world.mend()
    (decided, *_) = [fact for _, fact in world.server.journal if isinstance(fact, OfflineDecision)]
    assert decided.instead_of == world.server.sightings[0].sequence


def test_nothing_of_a_person_lies_on_the_agents_disk(world: World) -> None:
    world.cut()
    world.doorman.pass_one(GOOD)
    world.doorman.pass_one(Seen(plate=PLATE))
    world.doorman.pass_one(Seen(qr="a-secret-token", pin="47114711"))
    left = b"".join(path.read_bytes() for path in world.folder.iterdir())
    policy = world.server.policy()
    secret: list[bytes] = [
        CARD.encode(),
        b"AB123C",
        b"a-secret-token",
        b"47114711",
        b"person_a",
        policy.hash_key,
    ]
    secret += [entry.hash for entry in policy.entries]
    forms = [form for one in secret for form in (one, one.hex().encode(), to_text(one).encode())]
    assert not [form for form in forms if form in left]


def test_a_server_that_refuses_the_journal_is_not_asked_without_end(world: World) -> None:
    world.cut()
    world.doorman.pass_one(GOOD)
    world.server.away = False
    world.clock.advance(world.orders.retry_seconds)
    world.server.key = STRANGER_KEY
    for _ in range(100):
        world.upkeep.look_after()
    assert 1 <= world.post.statistics.refused_reports <= 2
    assert world.post.state.journal_length() == 2
    world.server.key = SERVER_KEY
    world.clock.advance(world.orders.refresh_seconds)
    world.upkeep.look_after()
    assert world.post.state.journal_length() == 0


def test_refusals_do_not_fill_the_disk_but_openings_are_always_written(tmp_path: Path) -> None:
    world = World(tmp_path, orders=replace(ORDERS, most_refusals_kept=3))
    world.cut()
    for _ in range(5):
        world.doorman.pass_one(WRONG)
    assert world.post.state.journal_length() == 3
    world.doorman.pass_one(GOOD)
    assert world.post.state.journal_length() == 5
    assert world.post.statistics.refusals_not_journalled == 2
    world.post.state.close()
