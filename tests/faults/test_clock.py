"""The server's clock jumps by hours while it runs: nothing opens wrongly, and all its work goes on."""

import time
from collections.abc import Callable

import pytest

from doorward.platform.jobs import enqueue
from doorward.vault.service import FORGET_OBJECTS
from tests.faults.processes import PATIENCE
from tests.faults.server import CLOCK_FILE
from tests.faults.site import Site

HOUR = 3600


def set_clock(site: Site, seconds: float) -> None:
    """Set the server's clock so far from the true time."""
    fresh = site.folder / f"{CLOCK_FILE}.new"
    fresh.write_text(str(seconds))
    fresh.replace(site.folder / CLOCK_FILE)


def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds."""
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps_shuts_the_gate_until_it_is_right_again(site: Site, hours: int) -> None:
    orphan = site.folder / "data" / "objects" / "ab" / ("ab" * 16)
    with site.serving() as server:
        before = site.sighting(number=1)
        first = site.permit(server.ask(before))
        assert first.opens
        set_clock(site, hours * HOUR)
        late = site.sighting(number=2)
        refused = site.permit(server.ask(late))
        assert (refused.opens, refused.because) == (False, "stale")
        again = site.permit(server.ask(before))
        assert again == first or not again.opens
        with site.opened() as house, house.unit() as unit:  # promised by the right clock
            house.vault.objects.put("ab" * 16, b"an orphan")
            enqueue(unit, FORGET_OBJECTS, names=["ab" * 16])
        eventually(lambda: not orphan.exists())
        set_clock(site, 0)
        assert site.permit(server.ask(site.sighting(number=3))).opens
        assert not site.permit(server.ask(late)).opens
    passages = {passage.sequence: passage.open_seconds > 0 for passage in site.passages()}
    assert passages == {1: True, 2: False, 3: True}
    assert site.verified().size > 0


def test_what_has_ended_stays_ended_only_as_long_as_the_clock_says_so(site: Site) -> None:
    with site.serving() as server:
        set_clock(site, 800 * 24 * HOUR)
        assert server.ask(site.sighting()).status_code == 401
        set_clock(site, 0)
        assert site.permit(server.ask(site.sighting())).opens
    assert site.verified().size > 0
