import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorward.core.errors import Invalid
from doorward.gates.model import DAY, Span
from doorward.gates.rules.weekly import parse_week, write_week

OFFICE = (Span(480, 1080),)
SPANS = st.builds(Span, st.integers(0, DAY - 1), st.integers(0, DAY))
DAYS = st.lists(SPANS, max_size=3, unique_by=lambda span: span.opens).map(
    lambda day: tuple(sorted(day, key=lambda span: span.opens))
)


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("mon-fri 08:00-18:00", (OFFICE,) * 5 + ((), ())),
        ("Monday - Friday 8:00 - 18:00", (OFFICE,) * 5 + ((), ())),
        ("sat-mon 08:00-18:00", (OFFICE, (), (), (), (), OFFICE, OFFICE)),
        ("mon, wed 08:00-18:00", (OFFICE, (), OFFICE, (), (), (), ())),
        ("mon 08:00-12:00, 13:00-17:00", ((Span(480, 720), Span(780, 1020)), *((),) * 6)),
        ("daily 22:00-06:00", ((Span(1320, 360),),) * 7),
        ("always", ((Span(0, DAY),),) * 7),
        ("never", ((),) * 7),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, week: tuple[tuple[Span, ...], ...]) -> None:
    assert parse_week(text) == week


@given(st.tuples(*[DAYS] * 7))
def test_what_is_written_reads_alike(week: tuple[tuple[Span, ...], ...]) -> None:
    assert parse_week(write_week(week)) == week


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mon",
        "08:00-18:00",
        "mon 8-18",
        "mon 08:00-25:00",
        "mon 08:60-09:00",
        "mo 08:00-09:00",
        "mon 08:00-09:00;",
    ],
)
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_week(text)
