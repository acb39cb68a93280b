from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

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
        {"key": STRANGER_KEY},
        {"expires_at": NOON},
        {"expires_at": NOON + timedelta(days=1)},
    ],
)
def test_a_false_order_opens_nothing(world: World, change: dict[str, Any]) -> None:
    world.server.command(**change)
    assert world.commands.look() == []
    assert world.barrier.openings == []


def test_in_an_evacuation_the_gate_is_held_open(world: World) -> None:
    world.server.mode = Mode.EVACUATION
    world.upkeep.round()
    for _ in range(10):
        world.commands.look()
        world.clock.advance(1)
        assert world.barrier.state() == "open"
    assert len(world.barrier.openings) == 5
    world.cut()
    world.clock.advance(25 * 3600)
    world.commands.look()
    assert world.barrier.state() == "shut"
