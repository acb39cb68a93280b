from collections.abc import Callable
from pathlib import Path

import pytest

from doorward.core.errors import Unavailable
from doorward_edge.drivers.relay import RelayBarrier, RelayWords
from doorward_edge.drivers.shared_end import SharedEnd
from doorward_edge.ports import BarrierState
from tests.edge.world import HandClock

WORDS = RelayWords(b"1", b"0")


class Timers:
    """Timers that go off as the clock is moved by hand."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, act: Callable[[], None]) -> Callable[[], None]:
        entry = (self.clock.ran + seconds, act)
        self.waiting.append(entry)
        return lambda: self.waiting.remove(entry) if entry in self.waiting else None

    def pass_by(self, seconds: float) -> None:
        until = self.clock.ran + seconds
        while due := [one for one in self.waiting if one[0] <= until]:
            first = min(due, key=lambda one: one[0])
            self.waiting.remove(first)
            self.clock.ran = first[0]
            first[1]()
        self.clock.ran = until


class Board:
    """A relay board as a file; `unplug` takes it away, state and all, `plug` brings it back as it was."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "value"
        self.path.write_bytes(b"0")
        self.clock = HandClock()
        self.timers = Timers(self.clock)

    def relay(self, shared: SharedEnd | None = None) -> RelayBarrier:
        return RelayBarrier(self.path, WORDS, after=self.timers, now=self.clock.monotonic, shared=shared)

    def unplug(self) -> None:
        self.path.rename(self.path.with_suffix(".away"))

    def plug(self) -> None:
        self.path.with_suffix(".away").rename(self.path)

    @property
    def is_on(self) -> bool:
        return self.path.read_bytes() == b"1"


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_second_opening_that_fails_leaves_the_first_ones_end_due(board: Board) -> None:
    relay = board.relay()
    relay.open(5)
    board.timers.pass_by(2)
    board.unplug()
    with pytest.raises(Unavailable):
        relay.open(5)
    board.plug()
    assert board.is_on
    board.timers.pass_by(3)
    assert not board.is_on
    assert relay.state() is BarrierState.SHUT


def test_an_opening_that_fails_is_followed_by_an_off_all_the_same(board: Board) -> None:
    relay = board.relay()
    board.unplug()
    with pytest.raises(Unavailable):
        relay.open(5)
    board.plug()
    board.path.write_bytes(b"1")  # part of the command had arrived
    board.timers.pass_by(1)
    assert not board.is_on


def test_an_off_that_fails_is_said_again_until_it_is_taken(board: Board) -> None:
    relay = board.relay()
    relay.open(5)
    board.unplug()
    board.timers.pass_by(60)
    board.plug()
    assert board.is_on
    board.timers.pass_by(1)
    assert not board.is_on


def test_a_timer_that_had_gone_off_already_does_not_end_the_next_opening(board: Board) -> None:
    relay = board.relay()
    relay.open(5)
    (late,) = board.timers.waiting
    relay.open(9)
    late[1]()
    assert board.is_on
    board.timers.pass_by(9)
    assert not board.is_on


@pytest.mark.parametrize(("first", "second", "off_after"), [(5, 9, 9), (9, 5, 9)])
def test_two_gates_on_one_strike_do_not_cut_each_other_short(
    board: Board, first: int, second: int, off_after: int
) -> None:
    file = board.path.with_suffix(".until")
    inward, outward = (board.relay(SharedEnd(file, name)) for name in ("agent_in", "agent_out"))
    inward.open(first)
    outward.open(second)
    for _ in range(off_after - 1):
        board.timers.pass_by(1)
        assert board.is_on
    board.timers.pass_by(1)
    assert not board.is_on


def test_an_agent_that_starts_or_stops_leaves_the_others_opening_alone(board: Board) -> None:
    file = board.path.with_suffix(".until")
    inward, outward = (board.relay(SharedEnd(file, name)) for name in ("agent_in", "agent_out"))
    inward.open(5)
    outward.shut()
    assert board.is_on
    board.timers.pass_by(5)
    assert not board.is_on


def test_a_spoilt_or_missing_note_of_ends_counts_as_none(board: Board) -> None:
    file = board.path.with_suffix(".until")
    file.write_text('{"boot": "another", "ends": {"agent_out": 1e12}}')
    relay = board.relay(SharedEnd(file, "agent_in"))
    relay.open(5)
    file.write_bytes(b"\xff not json")
    board.timers.pass_by(5)
    assert not board.is_on
    nowhere = board.relay(SharedEnd(board.path / "no" / "folder", "agent_in"))
    nowhere.open(5)
    board.timers.pass_by(5)
    assert not board.is_on
