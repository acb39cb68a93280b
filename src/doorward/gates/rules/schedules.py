"""Whether a schedule is open, on the wall clock of a site whose clock may jump."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from doorward.gates.model import DAY, Hours, Schedule, Span, Window

MINUTE = 60


def spans_on(schedule: Schedule, holidays: frozenset[date], day: date) -> tuple[Span, ...]:
    """The spans that begin on a date: its exception, else its holiday spans, else its weekday's."""
    for exception in schedule.exceptions:
        if exception.on == day:
            return exception.spans
    if day in holidays and schedule.on_holidays is not None:
        return schedule.on_holidays
    return schedule.weekly[day.weekday()]


def is_open(schedule: Schedule, hours: Hours, at: datetime) -> bool:
    """Whether the wall clock stands within a span; a repeated hour counts twice, a skipped one never."""
    local = at.astimezone(hours.time_zone)
    today, minute = local.date(), local.hour * 60 + local.minute
    yesterday = today - timedelta(days=1)
    return _covers(spans_on(schedule, hours.holidays, today), minute) or _covers(
        spans_on(schedule, hours.holidays, yesterday), minute + DAY
    )


def windows(schedule: Schedule, hours: Hours, start: datetime, end: datetime) -> tuple[Window, ...]:
    """The open stretches between two instants, to the minute: what `is_open` says, told ahead."""
    found: list[Window] = []
    for since, until, offset in _even_stretches(hours.time_zone, _minute_floor(start), int(end.timestamp())):
        first = datetime.fromtimestamp(since + offset, UTC).date() - timedelta(days=1)
        last = datetime.fromtimestamp(until + offset, UTC).date()
        for day in _days(first, last):
            midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - offset
            for span in spans_on(schedule, hours.holidays, day):
                opens = max(since, midnight + span.opens * MINUTE)
                closes = min(until, midnight + span.end * MINUTE)
                if opens < closes:
                    found.append(Window(opens, closes))
    return tuple(merged(found))


def merged(found: Iterable[Window]) -> Iterator[Window]:
    """The same time in as few windows as possible, in order."""
    held: Window | None = None
    for window in sorted(found, key=lambda w: (w.start, w.end)):
        if held is None or window.start > held.end:
            if held is not None:
                yield held
            held = window
        else:
            held = Window(held.start, max(held.end, window.end))
    if held is not None:
        yield held


def _covers(spans: tuple[Span, ...], minute: int) -> bool:
    return any(span.opens <= minute < span.end for span in spans)


def _minute_floor(at: datetime) -> int:
    return int(at.timestamp()) // MINUTE * MINUTE


def _days(first: date, last: date) -> Iterator[date]:
    for count in range((last - first).days + 1):
        yield first + timedelta(days=count)


def _offset(zone: ZoneInfo, second: int) -> int:
    shift = datetime.fromtimestamp(second, zone).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


def _even_stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Cut time where the zone's offset changes; no zone has changed it twice within an hour."""
    since, offset = start, _offset(zone, start)
    at = start
    while at < end:
        later = min(at + 3600, end)
        if _offset(zone, later) != offset:
            change = _change_between(zone, at, later)
            yield since, change, offset
            since, offset = change, _offset(zone, change)
        at = later
    if since < end:
        yield since, end, offset


def _change_between(zone: ZoneInfo, before: int, after: int) -> int:
    old = _offset(zone, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after
