"""A week's hours as people write them: `mon-fri 08:00-18:00; sat 09:00-12:00`."""

import re
from collections.abc import Iterator

from doorward.core.errors import Invalid
from doorward.gates.model import DAY, Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FULL_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
Week = tuple[tuple[Span, ...], ...]
PART = re.compile(r"([a-z][a-z ,-]*?)\s+(\d[\d:,\s-]*)")
SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")
HOW = "Write hours as: mon-fri 08:00-18:00; sat 09:00-12:00 (or: daily, always, never)."


def parse_week(text: str) -> Week:
    """Seven days' spans, Monday first; parts end with `;`, a day with two spans has a comma between them."""
    words = " ".join(text.lower().split())
    if words == "always":
        return ((Span(0, DAY),),) * 7
    week: list[list[Span]] = [[] for _ in DAYS]
    for part in words.split(";") if words != "never" else []:
        found = PART.fullmatch(part.strip())
        if found is None:
            raise Invalid(HOW)
        spans = parse_spans(found[2])
        for day in _days(found[1]):
            week[day].extend(spans)
    return tuple(tuple(sorted(day, key=lambda span: span.opens)) for day in week)


def write_week(week: Week) -> str:
    """The text that `parse_week` reads."""
    if all(day == (Span(0, DAY),) for day in week):
        return "always"
    parts = [f"{_named(first, last)} {write_spans(spans)}" for first, last, spans in _runs(week) if spans]
    return "; ".join(parts) or "never"


def parse_spans(text: str) -> tuple[Span, ...]:
    """Spans such as `08:00-12:00, 13:00-17:00`; one that closes before it opens ends a day later."""
    return tuple(_span(part.strip()) for part in text.split(","))


def write_spans(spans: tuple[Span, ...]) -> str:
    """The text that `parse_spans` reads."""
    return ", ".join(f"{_clock(span.opens)}-{_clock(span.closes)}" for span in spans)


def _span(text: str) -> Span:
    found = SPAN.fullmatch(text)
    if found is None:
        raise Invalid(HOW)
    hours = [int(part) for part in found.groups()]
    opens, closes = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if not (opens < DAY and closes <= DAY and hours[1] < 60 and hours[3] < 60):
        raise Invalid("Hours run from 00:00 to 24:00; a span may end the next day, such as 22:00-06:00.")
    return Span(opens, closes)


def _days(text: str) -> Iterator[int]:
    for word in text.replace(",", " ").replace(" - ", "-").split():
        first, _, last = word.partition("-")
        if word == "daily":
            yield from range(7)
        else:
            start, end = _day(first), _day(last or first)
            yield from ((start + step) % 7 for step in range((end - start) % 7 + 1))


def _day(word: str) -> int:
    for number, (short, full) in enumerate(zip(DAYS, FULL_NAMES, strict=True)):
        if len(word) >= len(short) and full.startswith(word):
            return number
    raise Invalid(HOW)


def _runs(week: Week) -> Iterator[tuple[int, int, tuple[Span, ...]]]:
    """Neighbouring days with the same spans."""
    first = 0
    for day in range(1, 8):
        if day == 7 or week[day] != week[first]:
            yield first, day - 1, week[first]
            first = day


def _named(first: int, last: int) -> str:
    if (first, last) == (0, 6):
        return "daily"
    return DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
