import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.core.errors import Unavailable
from doorward.core.wire import Door, OfflineDoor
from doorward_edge.drivers.contacts import Contact, FileInputs, LineInputs
from doorward_edge.drivers.lines import Lines
from doorward_edge.drivers.simulated import SimulatedInputs, SimulatedReader
from doorward_edge.listening import Listener
from doorward_edge.passage import Seen
from doorward_edge.ports import Condition, Input, InputChange, KeyPressed, ReaderCondition
from tests.edge.test_drivers import line, said
from tests.edge.world import ORDERS, World

__all__ = ["line"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, orders=replace(ORDERS, exit_opens=True, relocks=True))
    yield world
    world.post.state.close()


def listen(world: World, *changes: InputChange, reader: SimulatedReader | None = None) -> list[Seen]:
    """A fresh listener that hears these changes."""
    inputs = SimulatedInputs()
    for change in changes:
        inputs.change(change)
    listener = Listener(
        world.post, world.upkeep, world.held, inputs=[inputs], readers=[reader] if reader else []
    )
    heard: list[Seen] = []
    listener.listen(heard.append)
    return heard


def told(world: World) -> list[Door]:
    world.upkeep.deliver()
    return [state.state for state in world.server.doors]


CONTACTS = [
    (InputChange(Input.DOOR, True), [Door.OPENED]),
    (InputChange(Input.DOOR, False), [Door.CLOSED]),
    (InputChange(Input.EXIT, True), [Door.EXIT_REQUESTED]),
    (InputChange(Input.EXIT, False), []),
    (InputChange(Input.TAMPER, True), [Door.TAMPERED]),
    (InputChange(Input.TAMPER, False), [Door.TAMPER_CLEARED]),
    (InputChange(Input.FIRE, True), [Door.FIRE]),
]


@pytest.mark.parametrize(("change", "states"), CONTACTS)
def test_what_a_contact_says_reaches_the_server_in_its_own_words(
    world: World, change: InputChange, states: list[Door]
) -> None:
    listen(world, change)
    assert told(world) == states


def test_a_snapshot_that_says_nothing_new_is_not_told_again(world: World) -> None:
    listen(world, *[InputChange(Input.DOOR, state) for state in (False, False, True, True, False)])
    assert told(world) == [Door.CLOSED, Door.OPENED, Door.CLOSED]


def test_the_fire_contact_opens_without_a_server_and_is_told_later(world: World) -> None:
    world.cut()
    listen(world, InputChange(Input.FIRE, True))
    assert world.barrier.state() == "open"
    world.mend()
    assert [fact for _, fact in world.server.journal] == [OfflineDoor(state=Door.FIRE)]


def test_the_exit_button_opens_here_and_now_where_it_is_told_to(world: World) -> None:
    listen(world, InputChange(Input.EXIT, True))
    assert world.barrier.openings == [world.orders.open_seconds]
    world.post = replace(world.post, orders=replace(world.orders, exit_opens=False))
    listen(world, InputChange(Input.EXIT, True))
    assert len(world.barrier.openings) == 1


def test_the_barrier_locks_again_once_the_leaf_has_shut_but_not_in_a_fire(world: World) -> None:
    world.barrier.open(60)
    listen(world, InputChange(Input.DOOR, True), InputChange(Input.DOOR, False))
    assert world.barrier.state() == "shut"
    listen(
        world, InputChange(Input.FIRE, True), InputChange(Input.DOOR, True), InputChange(Input.DOOR, False)
    )
    assert world.barrier.state() == "open"


@pytest.mark.parametrize("devices", [1, 2])
def test_of_two_call_points_one_is_enough_and_the_other_ends_nothing(world: World, devices: int) -> None:
    inputs = [SimulatedInputs() for _ in range(devices)]
    listener = Listener(world.post, world.upkeep, world.held, inputs=inputs)
    first, second = inputs[0], inputs[-1]
    names = ("hall", "hall") if devices == 2 else ("hall", "yard")
    for device, name, active in [
        (first, names[0], True),
        (second, names[1], False),
        (second, names[1], True),
        (first, names[0], False),
    ]:
        device.change(InputChange(Input.FIRE, active, name))
        listener.listen(lambda seen: None)
        assert world.barrier.state() == "open"
    second.change(InputChange(Input.FIRE, False, names[1]))
    listener.listen(lambda seen: None)
    assert world.barrier.state() == "shut"
    assert told(world) == [Door.FIRE, Door.FIRE_CLEARED]


def test_a_door_of_two_leaves_is_closed_once_both_are(world: World) -> None:
    leaves = [("a", False), ("b", False), ("a", True), ("b", True), ("a", False), ("b", False)]
    listen(world, *[InputChange(Input.DOOR, active, leaf) for leaf, active in leaves])
    assert told(world) == [Door.CLOSED, Door.OPENED, Door.CLOSED]


def test_a_button_that_is_stuck_does_not_silence_another(world: World) -> None:
    listen(world, InputChange(Input.EXIT, True, "stuck"), InputChange(Input.EXIT, True, "other"))
    assert len(world.barrier.openings) == 2


def test_contacts_that_are_gone_are_counted_and_stop_nothing(world: World) -> None:
    inputs, reader = SimulatedInputs(), SimulatedReader([KeyPressed("1234#")])
    inputs.unplugged = True
    heard: list[Seen] = []
    Listener(world.post, world.upkeep, world.held, inputs=[inputs], readers=[reader]).listen(heard.append)
    assert [seen.pin for seen in heard] == ["1234"]
    assert world.post.statistics.input_failures == 1


TYPED = [
    (["1234#"], ["1234"]),
    (["1", "2", "3", "4", "#"], ["1234"]),
    (["99*1234#"], ["1234"]),
    (["1234"], []),
    (["#"], []),
]


@pytest.mark.parametrize(("keys", "pins"), TYPED)
def test_digits_become_a_pin_once_they_are_ended(world: World, keys: list[str], pins: list[str]) -> None:
    reader = SimulatedReader([KeyPressed(key) for key in keys])
    assert [seen.pin for seen in listen(world, reader=reader)] == pins


def test_a_reader_that_is_opened_up_is_told_as_tampered(world: World) -> None:
    reader = SimulatedReader([ReaderCondition(Condition.TAMPERED), ReaderCondition(Condition.SECURED)])
    assert listen(world, reader=reader) == []
    assert told(world) == [Door.TAMPERED]


DOOR, FIRE = Contact("door", Input.DOOR, "1"), Contact("in2", Input.FIRE, "0")


def all_of(inputs: FileInputs | LineInputs) -> list[InputChange]:
    changes: list[InputChange] = []
    while (change := inputs.poll()) is not None:
        changes.append(change)
    return changes


def test_files_say_how_all_contacts_stand_at_first_and_after_they_were_gone(tmp_path: Path) -> None:
    (tmp_path / "door").write_text("0\n")
    (tmp_path / "in2").write_text("1")
    inputs = FileInputs(tmp_path, [DOOR, FIRE])
    assert all_of(inputs) == [DOOR.says("0"), FIRE.says("1")]
    assert all_of(inputs) == []
    (tmp_path / "in2").write_text("0")
    assert all_of(inputs) == [InputChange(Input.FIRE, True, "in2")]
    (tmp_path / "door").unlink()
    with pytest.raises(Unavailable):
        inputs.poll()
    (tmp_path / "door").write_text("0")
    assert all_of(inputs) == [InputChange(Input.DOOR, False, "door")]


def test_a_board_is_asked_how_all_contacts_stand_whenever_it_was_opened(line: tuple[int, Path]) -> None:
    board, device = line
    inputs = LineInputs(Lines(device, hello=b"?\n"), [DOOR, FIRE])
    assert inputs.poll() is None
    assert said(board, 2) == b"?\n"
    os.write(board, b"door 1\nin2=1\nother 1\nnonsense\nin2:0\n")
    found: list[InputChange] = []
    while len(found) < 3:
        found += all_of(inputs)
    assert found == [
        InputChange(Input.DOOR, True, "door"),
        InputChange(Input.FIRE, False, "in2"),
        InputChange(Input.FIRE, True, "in2"),
    ]
