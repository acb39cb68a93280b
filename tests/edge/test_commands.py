from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doorward.core.errors import Unavailable
from doorward.core.wire import Mode
from doorward_edge.passage import Seen
from tests.edge.world import CARD, NOON, STRANGER_KEY, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.post.state.close()


def test_a_permit_given_by_hand_opens_once_even_across_a_restart(world: World) -> None:
    world.server.command()
    assert [(d.moved, d.because) for d in world.commands.look()] == [(True, "commanded")]
    world.clock.advance(2)
    assert world.commands.look() == []
    world.restart()
    assert world.commands.look() == []
    assert world.barrier.openings == [3]
    world.upkeep.deliver()
    assert [(o.permit_id, o.moved) for o in world.server.outcomes] == [(f"permit_{2**50}", True)]


def test_permits_asked_for_go_on_working_after_one_given_by_hand(world: World) -> None:
    world.server.command()
    world.commands.look()
    assert world.doorman.pass_one(Seen(card=CARD)).moved


@pytest.mark.parametrize(
    "change",
    [
        {"gate_id": "gate_b"},
        {"agent_id": "agent_b"},
        {"number": 7},
        {"opens": False},
    ],
)
def test_a_false_order_opens_nothing(world: World, change: dict[str, Any]) -> None:
    world.server.command(**change)
    assert world.commands.look() == []
    assert world.barrier.openings == []


def test_a_disk_that_fails_does_not_keep_orders_from_being_heard(world: World) -> None:
    world.doorman.pass_one(Seen(card=CARD))
    world.post.state.close()
    world.server.mode = Mode.EVACUATION
    assert world.upkeep.round()
    assert world.upkeep.reachable
    assert world.commands.look() == []
    assert world.barrier.state() == "open"
    world.server.command()
    world.clock.advance(2)
    with pytest.raises(Unavailable):
        world.commands.look()
    assert len(world.barrier.openings) == 2  # the passage, and the order that holds it open


@pytest.mark.parametrize("mode", [Mode.EVACUATION, Mode.RELEASED])
def test_the_gate_is_held_open_while_that_is_ordered_and_shut_at_once_after_it(
    world: World, mode: Mode
) -> None:
    world.server.mode = mode
    world.commands.look()
    for _ in range(10):
        assert world.barrier.state() == "open"
        world.clock.advance(1)
        world.held.keep()
        world.commands.look()
    world.server.mode = Mode.NORMAL
    world.clock.advance(1)
    world.commands.look()
    assert world.barrier.state() == "shut"


def test_without_a_server_an_order_lasts_as_long_as_its_lease_and_not_for_a_day(world: World) -> None:
    world.server.mode = Mode.EVACUATION
    world.commands.look()
    world.cut()
    for second in range(200):
        world.held.keep()
        assert world.barrier.state() == ("open" if second < world.server.lease_seconds else "shut")
        assert world.doorman.pass_one(Seen(card="nobody")).opens is (second < world.server.lease_seconds)
        world.clock.advance(1)


def test_the_fire_contact_holds_the_gate_open_without_any_server(world: World) -> None:
    world.cut()
    world.held.fire(True)
    for _ in range(300):
        world.held.keep()
        assert world.barrier.state() == "open"
        world.clock.advance(1)
    assert world.doorman.pass_one(Seen(card="nobody")).moved
    world.held.fire(False)
    assert world.barrier.state() == "shut"


def test_what_was_ordered_is_asked_each_second_and_an_older_answer_changes_nothing(world: World) -> None:
    world.server.mode = Mode.EVACUATION
    world.clock.advance(world.orders.command_seconds)
    world.commands.look()
    assert world.barrier.state() == "open"
    world.held.told(Mode.NORMAL, asked=world.clock.monotonic() - 10)
    world.held.keep()
    assert world.barrier.state() == "open"


def test_an_order_by_another_key_or_to_another_question_counts_for_nothing(world: World) -> None:
    world.server.mode = Mode.EVACUATION
    world.server.key = STRANGER_KEY
    assert world.commands.look() == []
    assert world.barrier.openings == []


def test_a_permit_by_hand_works_whatever_the_servers_clock_did(world: World) -> None:
    world.server.command(number=2**50)
    assert [d.moved for d in world.commands.look()] == [True]
    world.server.commanded.clear()
    world.server.command(number=2**49, expires_at=NOON - timedelta(hours=1))
    world.clock.advance(2)
    assert [d.moved for d in world.commands.look()] == [True]
