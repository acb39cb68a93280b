from dataclasses import replace
from pathlib import Path

import pytest

from doorward.core.errors import Conflict, Tampered, Unavailable
from doorward.core.wire import Direction, Door
from doorward_edge.alone import Because
from doorward_edge.passage import Seen
from doorward_edge.state import AgentState, Foreign
from tests.edge.world import AGENT_KEY, CARD, ORDERS, STRANGER_KEY, World

GOOD = Seen(card=CARD)


def lose_state(world: World) -> None:
    world.post.state.close()
    for path in world.folder.iterdir():
        path.unlink()


def test_after_its_state_was_lost_an_agent_goes_on_from_the_number_that_the_server_tells(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    for _ in range(3):
        world.doorman.pass_one(GOOD)
    used = {sighting.sequence for sighting in world.server.sightings}
    lose_state(world)
    world.start()
    assert world.doorman.pass_one(GOOD).moved
    assert world.server.sightings[-1].sequence not in used
    world.post.state.close()


def test_a_fresh_state_gives_no_number_before_the_server_has_told_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.doorman.pass_one(GOOD)
    lose_state(world)
    world.server.away = True
    world.start()
    assert world.post.state.is_fresh
    assert world.doorman.pass_one(GOOD).opens is False
    world.server.away = False
    world.clock.advance(world.orders.retry_seconds)
    world.upkeep.look_after()
    assert world.doorman.pass_one(GOOD).moved
    world.post.state.close()


def test_an_operator_may_say_that_the_key_is_new_too(tmp_path: Path) -> None:
    state = AgentState(tmp_path / "state", AGENT_KEY)
    with pytest.raises(Unavailable):
        state.next_sequence()
    state.go_on_from(1)
    assert state.next_sequence() == 1
    state.go_on_from(1)
    assert state.next_sequence() == 2
    state.close()


@pytest.mark.parametrize("in_use", [False, True])
def test_a_state_belongs_to_its_key_and_no_other_changes_a_byte_of_it(tmp_path: Path, in_use: bool) -> None:
    owner = AgentState(tmp_path / "state", AGENT_KEY)
    owner.go_on_from(1)
    owner.next_sequence()
    if not in_use:
        owner.close()
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    with pytest.raises(Foreign):
        AgentState(tmp_path / "state", STRANGER_KEY)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before
    owner.close()
    AgentState(tmp_path / "state", AGENT_KEY).close()


def test_an_agent_that_runs_already_is_told_from_another_keys_file(tmp_path: Path) -> None:
    owner = AgentState(tmp_path / "state", AGENT_KEY)
    with pytest.raises(Conflict, match="Another agent is running") as told:
        AgentState(tmp_path / "state", AGENT_KEY)
    assert not isinstance(told.value, Foreign)
    owner.close()


def test_an_older_copy_of_the_state_goes_on_above_what_the_server_has_seen(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.doorman.pass_one(GOOD)
    highest = world.server.highest() + 1000
    world.server.up_to = highest
    world.upkeep.round()
    world.doorman.pass_one(GOOD)
    assert world.server.sightings[-1].sequence > highest
    world.post.state.close()


def test_a_number_that_was_used_for_something_else_is_mended_and_asked_anew(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.doorman.pass_one(GOOD)
    world.server.change = lambda permit: (
        replace(permit, opens=False, because="number-used", highest=900) if permit.sequence < 900 else permit
    )
    decision = world.doorman.pass_one(GOOD)
    assert (decision.moved, decision.sequence) == (True, 901)
    world.post.state.close()


@pytest.mark.parametrize("spoilt", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_state_stops_an_entry_with_a_sentence(tmp_path: Path, spoilt: bytes) -> None:
    (tmp_path / "state").write_bytes(spoilt)
    with pytest.raises(Tampered, match="damaged"):
        AgentState(tmp_path / "state", AGENT_KEY)


def without_disk(tmp_path: Path, direction: Direction) -> World:
    world = World(tmp_path, orders=replace(ORDERS, direction=direction))
    world.server.direction = direction
    lose_state(world)
    world.state = AgentState(None, AGENT_KEY)
    world.server.away = True
    world.start()
    return world


def test_without_any_disk_a_way_out_opens_and_asks_once_it_can(tmp_path: Path) -> None:
    world = without_disk(tmp_path, Direction.OUT)
    assert world.doorman.pass_one(Seen(card="nobody")).moved
    world.server.away = False
    world.clock.advance(world.orders.retry_seconds)
    world.upkeep.look_after()
    assert world.doorman.pass_one(GOOD).moved
    assert len(world.server.sightings) == 1
    world.post.state.close()


def test_without_any_disk_an_entry_stays_shut_and_still_opens_in_an_evacuation_and_by_hand(
    tmp_path: Path,
) -> None:
    world = without_disk(tmp_path, Direction.IN)
    assert world.doorman.pass_one(GOOD).because is Because.NO_STATE
    world.server.away = False
    world.clock.advance(world.orders.retry_seconds)
    world.upkeep.look_after()
    assert world.doorman.pass_one(GOOD).because is Because.NO_STATE
    assert (world.server.sightings, world.barrier.openings) == ([], [])
    world.upkeep.report_door(Door.FIRE)
    world.upkeep.look_after()
    assert [one.state for one in world.server.doors] == [Door.FIRE]
    world.server.command()
    assert [one.moved for one in world.commands.look()] == [True]
    world.held.fire(True)
    assert world.doorman.pass_one(GOOD).moved
    world.post.state.close()
