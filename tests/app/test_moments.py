from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from doorward.app.commands.moments import length_of, moment_of, seconds_of
from doorward.core.errors import Invalid

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2030, 7, 1, 22, 30, tzinfo=UTC)  # half past midnight of 2 July in Berlin


@pytest.mark.parametrize(
    ("text", "is_end", "meant"),
    [
        ("2030-07-05", False, datetime(2030, 7, 4, 22, tzinfo=UTC)),
        ("2030-07-05", True, datetime(2030, 7, 5, 22, tzinfo=UTC)),
        ("2030-12-05 18:00", True, datetime(2030, 12, 5, 17, tzinfo=UTC)),
        ("2030-12-05T18:00+00:00", False, datetime(2030, 12, 5, 18, tzinfo=UTC)),
        ("18:00", False, datetime(2030, 7, 2, 16, tzinfo=UTC)),
        ("+8h", False, datetime(2030, 7, 2, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_on_the_clock_of_the_site(text: str, is_end: bool, meant: datetime) -> None:
    assert moment_of(text, BERLIN, NOW, is_end=is_end) == meant


@pytest.mark.parametrize("text", ["", "soon", "2030-13-01", "25:00", "+8", "+h", "1.7.2030"])
def test_a_time_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        moment_of(text, BERLIN, NOW)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("15m", 900), ("12h", 43_200), ("7d", 604_800)])
def test_a_length_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds
    assert length_of(seconds) == text
