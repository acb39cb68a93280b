"""Power fails under the server at every step of what it does; it starts again by itself, nothing is lost."""

import httpx
import pytest

from doorward.core.wire import Outcome
from doorward.gates.model import PassageState
from tests.faults.site import GATE, Site

SIGHTINGS = "/edge/sightings"
# The step at which power fails, and how many decisions are kept when it does.
OF_A_PASSAGE = [
    ("received", 0),
    ("sql:FROM people_credentials", 0),
    ("sql:FROM gate_grants", 0),
    ("sql:INSERT INTO gate_passages", 0),
    ("sql:INSERT INTO audit_entries", 0),
    ("commit", 0),
    ("committed", 1),
    ("answering", 1),
    ("answered", 1),
]


@pytest.mark.parametrize(("step", "kept"), OF_A_PASSAGE)
def test_power_may_fail_at_any_step_of_a_passage(site: Site, step: str, kept: int) -> None:
    sighting = site.sighting(number=7)
    with site.serving(step, SIGHTINGS) as server:
        try:
            told = [site.permit(server.ask(sighting))]
        except httpx.TransportError:
            told = []
        assert server.died()
    assert len(told) == (step == "answered")
    before = site.passages()
    assert [passage.state for passage in before] == [PassageState.PERMITTED] * kept
    with site.serving() as server:
        again = site.permit(server.ask(sighting))
        once_more = site.permit(server.ask(sighting))
    [passage] = site.passages()
    assert again == once_more
    assert (again.permit_id, again.opens, again.sequence) == (passage.id, True, 7)
    assert {one.permit_id for one in told} | {one.id for one in before} <= {passage.id}
    assert site.events().count("gate.decided") == 1
    assert site.verified().size > 0
