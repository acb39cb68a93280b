from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from doorward.core.wire import (
    Credential,
    Mode,
    Permit,
    PlateEvidence,
    Request,
    Signed,
    Wants,
    open_message,
)
from doorward_edge.alone import Because
from doorward_edge.passage import FaceSeen, Seen
from doorward_edge.ports import Movement, Step
from tests.edge.world import AGENT_KEY, CARD, STRANGER_KEY, FakeServer, World

FACE = FaceSeen(template=np.zeros(128, np.float32), frames=4, quality=12.0)
PLATE = PlateEvidence(candidates=(("AB123C", 0.9),), minimum_character_confidence=0.9, frames=4)
GOOD, WRONG = Seen(card=CARD), Seen(card="other")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def later(permit: Permit) -> Permit:
    return replace(permit, sequence=permit.sequence + 1)


FORGERIES: list[tuple[Callable[[Permit], Permit], str]] = [
    (lambda p: replace(p, gate_id="gate_b"), Because.NOT_OURS),
    (lambda p: replace(p, agent_id="agent_b"), Because.NOT_OURS),
    (lambda p: replace(p, sequence=p.sequence + 1), Because.NOT_OURS),
]


def test_a_known_card_opens_once_and_the_server_hears_of_it(world: World) -> None:
    decision = world.doorman.pass_one(GOOD)
    world.upkeep.deliver()
    assert (decision.opens, decision.moved, decision.offline) == (True, True, False)
    assert world.barrier.openings == [5]
    assert [(o.permit_id, o.moved, o.certain) for o in world.server.outcomes] == [
        (decision.permit_id, True, True)
    ]


def test_an_unknown_card_stays_outside_with_the_servers_reason(world: World) -> None:
    decision = world.doorman.pass_one(WRONG)
    assert (decision.opens, decision.because) == (False, "unknown")
    assert world.barrier.openings == []


@pytest.mark.parametrize(("change", "because"), FORGERIES)
def test_a_permit_for_another_gate_agent_or_sighting_opens_nothing(
    world: World, change: Callable[[Permit], Permit], because: str
) -> None:
    world.server.change = change
    assert world.doorman.pass_one(GOOD).because == because
    assert world.barrier.openings == []


def test_a_permit_by_another_key_opens_nothing(world: World) -> None:
    world.server.key = STRANGER_KEY
    assert world.doorman.pass_one(GOOD).because == Because.FORGED
    assert world.barrier.openings == []
    assert world.post.statistics.not_genuine == 1


def test_a_recorded_permit_opens_nothing_the_second_time(world: World) -> None:
    first = world.doorman.pass_one(GOOD)
    assert first.sequence
    recorded = world.server.answers[first.sequence]
    for sequence in range(first.sequence + 1, first.sequence + 4):
        world.server.answers[sequence] = recorded
    assert world.doorman.pass_one(GOOD).because == Because.NOT_OURS
    world.restart()
    for sequence in range(first.sequence, first.sequence + 200):
        world.server.answers[sequence] = recorded
    assert world.doorman.pass_one(GOOD).because == Because.NOT_OURS
    assert world.barrier.openings == [5]


@pytest.mark.parametrize("seconds", [5.0, 6.0, 3600.0])
def test_an_answer_that_took_too_long_opens_nothing(world: World, seconds: float) -> None:
    world.server.before_answer = lambda: world.clock.advance(seconds)
    assert world.doorman.pass_one(GOOD).because == Because.LATE
    assert world.barrier.openings == []
    world.upkeep.deliver()
    assert [(outcome.moved, outcome.certain) for outcome in world.server.outcomes] == [(False, True)]


def test_a_permit_whose_barrier_is_still_moving_is_not_reported_as_lost(world: World) -> None:
    world.barrier.answers_later(Movement.MOVED)
    told_meanwhile: list[int] = []

    def step(at: Step) -> None:
        if at is Step.MARKED:
            world.upkeep.deliver()
            told_meanwhile.append(len(world.server.outcomes))

    world.checkpoint = step
    world.restart()
    assert world.doorman.pass_one(GOOD).moved
    assert told_meanwhile == [0]
    assert world.upkeep.waits
    world.upkeep.look_after()
    assert [(outcome.moved, outcome.certain) for outcome in world.server.outcomes] == [(True, True)]


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_jumping_wall_clock_neither_shortens_nor_stretches_a_permit(world: World, jump: timedelta) -> None:
    def leap() -> None:
        world.clock.time += jump

    world.server.before_answer = leap
    assert world.doorman.pass_one(GOOD).moved

    def leap_and_wait() -> None:
        world.clock.ran += 6
        world.clock.time += jump

    world.server.before_answer = leap_and_wait
    assert world.doorman.pass_one(GOOD).because == Because.LATE


def test_a_lost_answer_is_asked_for_again_and_opens_once(world: World) -> None:
    world.server.lose_answers = 1
    decision = world.doorman.pass_one(GOOD)
    assert decision.moved
    assert not decision.offline
    assert len(world.server.sightings) == 1


def test_a_jammed_barrier_is_reported_as_not_moved(world: World) -> None:
    world.barrier.jammed = True
    assert world.doorman.pass_one(GOOD).moved is False
    world.upkeep.deliver()
    assert [o.moved for o in world.server.outcomes] == [False]


def test_what_the_server_refuses_to_hear_again_is_not_said_for_ever(world: World) -> None:
    world.doorman.pass_one(GOOD)
    world.upkeep.deliver()
    world.upkeep.deliver()
    assert world.post.state.pending_outcomes() == []


def test_a_recorded_policy_does_not_replace_a_newer_one(world: World) -> None:
    request = world.post.sign(world.post.request(Wants.POLICY))
    recorded = world.server.fetch(request)
    fetch = world.server.fetch
    world.server.mode = Mode.LOCKDOWN
    world.upkeep.round()

    class Recording(FakeServer):
        def fetch(self, message: Signed) -> Signed:
            is_time = open_message(AGENT_KEY.public_key(), Request, message).wants is Wants.TIME
            return fetch(message) if is_time else recorded

    world.restart(link=Recording(now=lambda: world.clock.time))
    assert world.upkeep.book is None
    assert world.post.statistics.refused_reports == 1


def test_a_server_whose_clock_went_back_gives_policies_all_the_same(world: World) -> None:
    world.server.version = 5
    world.upkeep.round()
    world.server.version, world.server.mode = 4, Mode.LOCKDOWN
    world.server.now = lambda: world.clock.time - timedelta(days=1)
    world.upkeep.round()
    world.cut()
    assert world.doorman.pass_one(GOOD).because == Because.LOCKDOWN


def test_the_offset_of_the_clock_travels_with_each_sighting(world: World) -> None:
    world.clock.time -= timedelta(seconds=90)
    world.server.now = lambda: world.clock.time + timedelta(seconds=90)
    world.upkeep.round()
    world.doorman.pass_one(GOOD)
    sighting = world.server.sightings[-1]
    assert sighting.clock
    assert sighting.clock.offset_ms == 90_000
    assert sighting.seen_at == world.server.now()


def test_a_plate_is_known_to_the_policy_however_it_is_written() -> None:
    shown = Seen(plate=PLATE, card=CARD).credentials(least_frames=3, least_confidence=0.5)
    assert shown == {Credential.CARD: CARD, Credential.PLATE: "AB123C"}
