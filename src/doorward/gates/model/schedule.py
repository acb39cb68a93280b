"""When a grant counts: weekly spans on the wall clock of the site."""

from dataclasses import dataclass
from datetime import date

DAY = 1440
EVERY_DAY = range(7)


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a day in minutes after local midnight; closing at or before opening means a day later."""

    opens: int
    closes: int

    @property
    def end(self) -> int:
        """The end in minutes after the midnight before `opens`; past 1440 on the following day."""
        return self.closes if self.closes > self.opens else self.closes + DAY


@dataclass(frozen=True, slots=True)
class DayException:
    """One date with its own spans; none of them means closed."""

    on: date
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Spans by weekday (Monday first). `on_holidays` None treats a holiday as any other day, () closes it."""

    id: str
    name: str
    weekly: tuple[tuple[Span, ...], ...]
    on_holidays: tuple[Span, ...] | None = ()
    exceptions: tuple[DayException, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Public holidays of a country (ISO 3166), with dates of one's own added and worked dates taken away."""

    country: str | None = None
    subdivision: str | None = None
    added: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time in seconds since 1970 (UTC), the end left out."""

    start: int
    end: int
