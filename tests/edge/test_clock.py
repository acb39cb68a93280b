from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.wire import TimeReply
from doorward_edge.clock import ClockWatch
from tests.edge.world import HandClock


def exchange(
    watch: ClockWatch, clock: HandClock, *, ahead: float, there: float = 0.01, back: float = 0.01
) -> bool:
    """One question to a server whose clock is `ahead` seconds of the agent's wall clock."""
    server = timedelta(seconds=ahead)
    sent = clock.monotonic()
    clock.advance(there)
    received_at = clock.time + server
    clock.advance(0.002)
    sent_at = clock.time + server
    clock.advance(back)
    return watch.measured(
        sent, clock.monotonic(), TimeReply(nonce=bytes(16), received_at=received_at, sent_at=sent_at)
    )


@given(ahead=st.floats(-1e6, 1e6), there=st.floats(0, 2), back=st.floats(0, 2), jump=st.floats(-1e6, 1e6))
def test_server_time_is_known_to_half_a_round_trip_whatever_the_wall_clock_does(
    ahead: float, there: float, back: float, jump: float
) -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    assert exchange(watch, clock, ahead=ahead, there=there, back=back)
    truth = clock.time + timedelta(seconds=ahead)
    clock.time += timedelta(seconds=jump)
    assert abs((watch.server_now() - truth).total_seconds()) <= (there + back) / 2 + 0.001


def test_the_quickest_exchange_wins() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    exchange(watch, clock, ahead=10, there=0.001, back=0.001)
    exchange(watch, clock, ahead=10, there=0.001, back=1.5)
    report = watch.report()
    assert report
    assert abs(report.offset_ms - 10_000) <= 1
    assert report.round_trip_ms <= 2


def test_a_server_whose_clock_was_set_is_believed() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    exchange(watch, clock, ahead=10, there=0.001, back=0.001)
    exchange(watch, clock, ahead=500, there=0.01, back=0.01)
    report = watch.report()
    assert report
    assert abs(report.offset_ms - 500_000) <= 20


@pytest.mark.parametrize(("jump", "doubtful"), [(0.5, False), (-0.5, False), (5, True), (-5, True)])
def test_a_jump_of_the_wall_clock_is_noticed_until_the_next_measurement(jump: float, doubtful: bool) -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    exchange(watch, clock, ahead=0)
    clock.advance(60)
    clock.time += timedelta(seconds=jump)
    watch.look()
    assert watch.doubtful is doubtful
    assert watch.jumps == doubtful
    exchange(watch, clock, ahead=0)
    assert not watch.doubtful


def test_a_clock_never_measured_or_long_ago_is_doubtful() -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    assert watch.doubtful
    assert watch.report() is None
    exchange(watch, clock, ahead=0)
    assert not watch.doubtful
    clock.advance(25 * 3600)
    assert watch.doubtful


@pytest.mark.parametrize(("there", "back"), [(6, 0), (0, 6), (3, 3)])
def test_an_exchange_that_took_for_ever_says_nothing(there: float, back: float) -> None:
    clock = HandClock()
    watch = ClockWatch(clock)
    assert not exchange(watch, clock, ahead=0, there=there, back=back)
    assert watch.doubtful
