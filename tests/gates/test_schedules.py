from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.gates.model import DayException, Hours, Schedule, Span
from doorward.gates.rules.schedules import is_open, windows

# A gap, a fold, a half-hour change, a change at midnight, none at all, and a change of the calendar day.
PLACES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Asia/Shanghai", date(2026, 5, 1)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
spans = st.builds(Span, opens=st.integers(0, 1439), closes=st.integers(0, 1440))
days = st.lists(spans, max_size=2).map(tuple)
schedules = st.builds(
    Schedule,
    id=st.just("schedule_x"),
    name=st.just("x"),
    weekly=st.tuples(*[days] * 7),
    on_holidays=st.one_of(st.none(), days),
)


def wall_minutes(schedule: Schedule, holidays: frozenset[date], around: date) -> set[datetime]:
    """Every minute a wall clock may show while open, without any arithmetic on zones."""
    found = set()
    for shift in range(-3, 4):
        day = around + timedelta(days=shift)
        begin = datetime(day.year, day.month, day.day)  # noqa: DTZ001
        exception = {e.on: e.spans for e in schedule.exceptions}
        held = exception.get(day)
        if held is None and day in holidays:
            held = schedule.on_holidays
        for span in schedule.weekly[day.weekday()] if held is None else held:
            minute = begin + timedelta(minutes=span.opens)
            while True:
                found.add(minute)
                minute += timedelta(minutes=1)
                if (minute - begin).total_seconds() / 60 in (span.closes, span.closes + 1440) and minute > (
                    begin + timedelta(minutes=span.opens)
                ):
                    break
    return found


@settings(max_examples=25, deadline=None)
@given(
    schedules,
    st.sampled_from(PLACES),
    st.frozensets(st.integers(-1, 1), max_size=2),
    st.lists(st.builds(lambda n, s: (n, s), st.integers(-1, 1), days), max_size=1),
)
def test_a_schedule_agrees_with_a_clock_on_the_wall_minute_by_minute(
    schedule: Schedule,
    place: tuple[str, date],
    free: frozenset[int],
    other: list[tuple[int, tuple[Span, ...]]],
) -> None:
    zone, around = ZoneInfo(place[0]), place[1]
    exceptions = tuple(DayException(around + timedelta(days=n), s) for n, s in other)
    schedule = Schedule(
        id="s", name="s", weekly=schedule.weekly, on_holidays=schedule.on_holidays, exceptions=exceptions
    )
    hours = Hours({}, frozenset(around + timedelta(days=n) for n in free), zone)
    wall = wall_minutes(schedule, hours.holidays, around)
    start = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(hours=20)
    ahead = windows(schedule, hours, start, start + timedelta(hours=60))
    for count in range(60 * 60):
        at = start + timedelta(minutes=count)
        shown = at.astimezone(zone).replace(tzinfo=None, fold=0)
        expected = shown in wall
        assert is_open(schedule, hours, at) == expected, at
        second = int(at.timestamp())
        assert any(w.start <= second < w.end for w in ahead) == expected, at


NIGHT = Schedule(id="n", name="Night", weekly=((Span(22 * 60, 6 * 60),),) * 5 + ((), ()))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (datetime(2026, 1, 9, 23, tzinfo=UTC), True),  # Friday night
        (datetime(2026, 1, 10, 5, 59, tzinfo=UTC), True),  # still Friday's span on Saturday morning
        (datetime(2026, 1, 10, 6, tzinfo=UTC), False),
        (datetime(2026, 1, 10, 23, tzinfo=UTC), False),
        (datetime(2026, 1, 12, 5, tzinfo=UTC), False),  # Monday morning: Sunday had no span
    ],
)
def test_a_night_belongs_to_the_day_it_begins_on(at: datetime, expected: bool) -> None:
    assert is_open(NIGHT, Hours(), at) is expected


def test_a_holiday_closes_and_an_exception_stands_above_it() -> None:
    christmas = date(2026, 12, 25)
    noon = datetime(2026, 12, 25, 12, tzinfo=UTC)
    day = Schedule(id="d", name="Day", weekly=((Span(480, 1020),),) * 7)
    hours = Hours(holidays=frozenset({christmas}))
    assert not is_open(day, hours, noon)
    opened = Schedule(
        id="d", name="Day", weekly=day.weekly, exceptions=(DayException(christmas, (Span(700, 800),)),)
    )
    assert is_open(opened, hours, noon)
