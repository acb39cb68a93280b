import os
import pty
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from doorward.core.errors import Unavailable
from doorward_edge.drivers.line_reader import LineReader
from doorward_edge.drivers.lines import SPEEDS, Lines
from doorward_edge.drivers.relay import RelayBarrier, RelayWords
from doorward_edge.drivers.simulated import SimulatedBarrier, SimulatedInputs, SimulatedReader
from doorward_edge.ports import BarrierState, ReaderEvent, Shown
from tests.edge.world import HandClock

ON, OFF = bytes.fromhex("a00101a2"), bytes.fromhex("a00100a1")


class HandTimer:
    """A timer that goes off when told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, act: Callable[[], None]) -> Callable[[], None]:
        entry = (seconds, act)
        self.waiting.append(entry)
        return lambda: self.waiting.remove(entry) if entry in self.waiting else None

    def ring(self) -> None:
        _, act = self.waiting.pop(0)
        act()


def test_a_line_that_refuses_its_settings_is_a_device_that_does_not_answer(
    line: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SPEEDS, 1200, 12_345)  # no speed of any line
    timer = HandTimer()
    relay = RelayBarrier(line[1], speed=1200, after=timer)
    with pytest.raises(Unavailable):
        relay.open(5)
    assert len(timer.waiting) == 1
    with pytest.raises(Unavailable):
        LineReader(line[1], Shown.CARD, speed=1200).poll()


def test_a_device_that_talks_without_end_fills_its_own_line_and_not_our_memory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "talker")
    talker = os.open(tmp_path / "talker", os.O_RDWR | os.O_NONBLOCK)
    line_of_it = b"1\n" * 2048
    with suppress(BlockingIOError):
        while True:
            os.write(talker, line_of_it)
    lines = Lines(tmp_path / "talker")
    assert [lines.next() for _ in range(100)] == ["1"] * 100
    os.write(talker, line_of_it)
    with pytest.raises(BlockingIOError):
        os.write(talker, line_of_it)
    lines.close()
    os.close(talker)


@pytest.fixture
def line() -> Iterator[tuple[int, Path]]:
    board, agent = pty.openpty()
    tty.setraw(board)
    yield board, Path(os.ttyname(agent))
    os.close(board)
    os.close(agent)


def said(board: int, length: int) -> bytes:
    """So many bytes as they arrive: a line hands them over in pieces."""
    heard = b""
    while len(heard) < length:
        heard += os.read(board, length - len(heard))
    return heard


def test_a_relay_gets_on_and_later_off(line: tuple[int, Path]) -> None:
    board, device = line
    timer = HandTimer()
    relay = RelayBarrier(device, after=timer)
    assert relay.state() is BarrierState.UNKNOWN
    relay.open(5)
    assert said(board, 4) == ON
    assert relay.state() is BarrierState.OPEN
    assert [round(seconds) for seconds, _ in timer.waiting] == [5]
    timer.ring()
    assert said(board, 4) == OFF
    assert relay.state() is BarrierState.SHUT


def test_a_relay_left_on_is_switched_off_at_once(line: tuple[int, Path]) -> None:
    board, device = line
    timer = HandTimer()
    relay = RelayBarrier(device, after=timer)
    relay.open(5)
    relay.shut()
    assert said(board, 8) == ON + OFF
    assert timer.waiting == []


def test_opening_again_prolongs_instead_of_shutting_in_between(line: tuple[int, Path]) -> None:
    timer = HandTimer()
    relay = RelayBarrier(line[1], after=timer)
    relay.open(5)
    relay.open(9)
    assert [round(seconds) for seconds, _ in timer.waiting] == [9]
    relay.open(2)
    assert [round(seconds) for seconds, _ in timer.waiting] == [9]


def test_a_gpio_value_file_works_like_a_board_and_a_missing_one_is_never_made(tmp_path: Path) -> None:
    value = tmp_path / "value"
    value.write_bytes(b"0")
    timer = HandTimer()
    relay = RelayBarrier(value, RelayWords(b"1", b"0"), after=timer)
    relay.open(3)
    assert value.read_bytes() == b"1"
    value.unlink()
    with pytest.raises(Unavailable):
        relay.open(3)
    assert not value.exists()


def test_a_board_that_does_not_listen_is_told_again_to_switch_off(tmp_path: Path) -> None:
    value = tmp_path / "value"
    value.write_bytes(b"0")
    timer = HandTimer()
    relay = RelayBarrier(value, RelayWords(b"1", b"0"), after=timer)
    relay.open(3)
    value.unlink()
    timer.ring()
    assert relay.state() is BarrierState.UNKNOWN
    value.write_bytes(b"1")
    timer.ring()
    assert value.read_bytes() == b"0"
    assert relay.state() is BarrierState.SHUT


def read_by(reader: LineReader) -> ReaderEvent:
    """The next line, which may still be on its way."""
    while (event := reader.poll()) is None:
        continue
    return event


def test_a_line_reader_reads_each_line_once_and_throws_away_noise(line: tuple[int, Path]) -> None:
    board, device = line
    reader = LineReader(device, Shown.CARD)
    assert reader.poll() is None
    os.write(board, b"04A1\r\n\r\n\xff\xfe\r\n" + b"77")
    assert read_by(reader) == ReaderEvent(Shown.CARD, "04A1")
    assert reader.poll() is None
    os.write(board, b"88\n")
    assert read_by(reader) == ReaderEvent(Shown.CARD, "7788")
    os.write(board, b"x" * 1500)
    assert [reader.poll() for _ in range(200)] == [None] * 200
    os.write(board, b"x" * 100 + b"\nok\n")
    assert read_by(reader) == ReaderEvent(Shown.CARD, "ok")
    assert reader.poll() is None
    reader.close()


def test_a_missing_reader_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        LineReader(tmp_path / "none", Shown.CARD).poll()


def test_simulated_devices_answer_like_real_ones() -> None:
    clock = HandClock()
    barrier, reader, door = SimulatedBarrier(clock), SimulatedReader(), SimulatedInputs()
    barrier.open(5)
    assert barrier.state() is BarrierState.OPEN
    clock.advance(5)
    assert barrier.state() is BarrierState.SHUT
    assert reader.poll() is None
    assert door.poll() is None
    reader.unplugged = barrier.jammed = True
    with pytest.raises(Unavailable):
        reader.poll()
    with pytest.raises(Unavailable):
        barrier.open(5)
