from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doorward.core.errors import Denied
from doorward.core.wire import Direction, Permit
from doorward_edge.alone import Because
from doorward_edge.passage import Seen
from tests.edge.world import CARD, ORDERS, STRANGER_KEY, World

ANYBODY = Seen(card="nobody knows this card")


@pytest.fixture
def exit_(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, orders=replace(ORDERS, direction=Direction.OUT))
    world.server.direction = Direction.OUT
    world.upkeep.round()
    yield world
    world.post.state.close()


def refused(world: World, because: str) -> None:
    world.server.change = lambda permit: replace(permit, opens=False, because=because)


@pytest.mark.parametrize("because", ["unknown", "stale", "repeated", "locked", "area-passback", "whatever"])
def test_a_way_out_opens_on_every_refusal(exit_: World, because: str) -> None:
    refused(exit_, because)
    assert exit_.doorman.pass_one(ANYBODY).moved


def test_only_an_interlock_keeps_a_way_out_shut_and_not_for_longer_than_half_a_minute(exit_: World) -> None:
    refused(exit_, "interlocked")
    opened = []
    for _ in range(8):
        opened.append(exit_.doorman.pass_one(ANYBODY).moved is True)
        exit_.clock.advance(5)
    assert opened == [False] * 6 + [True] * 2


def test_an_interlock_of_yesterday_does_not_count_as_the_same_one(exit_: World) -> None:
    refused(exit_, "interlocked")
    assert not exit_.doorman.pass_one(ANYBODY).opens
    exit_.clock.advance(86_400)
    assert not exit_.doorman.pass_one(ANYBODY).opens


def test_a_sighting_that_is_called_stale_is_asked_anew_after_measuring_the_clock(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.clock.advance(1)
    server_ahead = timedelta(seconds=45)
    world.server.now = lambda: world.clock.time + server_ahead

    def judge(permit: Permit) -> Permit:
        seen_at = world.server.sightings[-1].seen_at
        fresh = abs(world.server.now() - seen_at) < timedelta(seconds=30)
        return permit if fresh else replace(permit, opens=False, because="stale")

    world.server.change = judge
    assert world.doorman.pass_one(Seen(card=CARD)).moved
    assert len(world.server.sightings) == 2
    world.post.state.close()


@pytest.mark.parametrize(
    "fault",
    [
        lambda world: setattr(world.server, "key", STRANGER_KEY),
        lambda world: setattr(world.server, "before_answer", lambda: world.clock.advance(9)),
        lambda world: world.post.state.close(),
        lambda world: world.cut(),
    ],
)
def test_a_way_out_opens_in_every_doubt(exit_: World, fault: Callable[[World], None]) -> None:
    fault(exit_)
    assert exit_.doorman.pass_one(ANYBODY).moved


def test_a_way_out_opens_on_a_permit_that_was_used_before(exit_: World) -> None:
    exit_.server.change = lambda permit: replace(permit, opens=True, permit_id="always the same")
    assert [exit_.doorman.pass_one(ANYBODY).moved for _ in range(2)] == [True, True]


def test_an_entry_stays_shut_on_a_permit_that_was_used_before(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.server.change = lambda permit: replace(permit, permit_id="always the same")
    told = [world.doorman.pass_one(Seen(card=CARD)) for _ in range(2)]
    assert [(one.moved, one.because) for one in told] == [(True, None), (None, Because.USED)]
    world.post.state.close()


def test_staff_open_a_way_out_by_hand_even_if_its_disk_fails(exit_: World) -> None:
    exit_.post.state.close()
    exit_.server.command()
    assert [one.moved for one in exit_.commands.look()] == [True]


def test_a_server_that_denies_the_agent_does_not_lock_anybody_in(exit_: World) -> None:
    def deny() -> None:
        raise Denied("not yours")

    exit_.server.before_answer = deny
    assert exit_.doorman.pass_one(ANYBODY).moved
