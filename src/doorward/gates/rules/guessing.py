"""How long a gate looks at no more faces after several in a row failed."""

from datetime import datetime, timedelta

from doorward.gates.model import Guesses

FREE = 5  # mistakes that people make: bad light, a hood, the wrong turn, somebody else's card by accident
FIRST_WAIT = timedelta(seconds=10)
# One prankster must not keep everybody's faces out for long; one person's may wait longer.
LONGEST_AT_A_GATE = timedelta(minutes=5)
LONGEST_FOR_A_PERSON = timedelta(minutes=15)


def wait_after(failures: int, longest: timedelta) -> timedelta:
    """Nothing after the first few, then twice as long after each."""
    if failures < FREE:
        return timedelta(0)
    doublings: int = 2 ** min(failures - FREE, 16)
    return min(FIRST_WAIT * doublings, longest)


def must_wait(guesses: Guesses | None, now: datetime, longest: timedelta) -> bool:
    """Whether a face is looked at only later; a clock that was set back ends the wait."""
    if guesses is None:
        return False
    return timedelta(0) <= now - guesses.last_at < wait_after(guesses.failures, longest)
