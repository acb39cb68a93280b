"""Times and lengths as people type them, read on the clock of the site."""

import re
from datetime import date, datetime, time, timedelta, tzinfo

from doorward.core.errors import Invalid

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LENGTH = re.compile(r"(\d{1,6})\s*([smhd])")
CLOCK = re.compile(r"(\d{1,2}):(\d\d)")
HOW = "Write a time as 2030-05-31, 2030-05-31 18:00, 18:00 (today) or +8h (from now)."
WHEN_HELP = "2030-05-31, '2030-05-31 18:00', 18:00 (today) or +8h."
LENGTH_HELP = "such as 30s, 15m, 12h or 7d"


def moment_of(text: str | None, zone: tzinfo, now: datetime, *, is_end: bool = False) -> datetime | None:
    """The instant that is meant; a date alone is its first moment, or as an end its last."""
    if text is None:
        return None
    if text.startswith("+"):
        return now + timedelta(seconds=seconds_of(text[1:]))
    clock = CLOCK.fullmatch(text)
    today = now.astimezone(zone).date()
    try:
        if clock is not None:
            return datetime.combine(today, time(int(clock[1]), int(clock[2])), zone)
        if len(text) == len("2030-05-31"):
            day = date.fromisoformat(text) + timedelta(days=is_end)
            return datetime.combine(day, time(), zone)
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(HOW) from error
    return read if read.tzinfo else read.replace(tzinfo=zone)


def seconds_of(text: str) -> int:
    """A length such as 30s, 15m, 12h or 7d in seconds."""
    found = LENGTH.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"Write a length as a number and its unit, {LENGTH_HELP}.")
    return int(found[1]) * UNITS[found[2]]


def length_of(seconds: int | None) -> str:
    """The text that `seconds_of` reads, in the largest unit that fits."""
    if not seconds:
        return ""
    unit = next(name for name in reversed(UNITS) if seconds % UNITS[name] == 0)
    return f"{seconds // UNITS[unit]}{unit}"


def day_of(text: str) -> date:
    """A date such as 2030-05-31."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid("Write a date as 2030-05-31.") from error
