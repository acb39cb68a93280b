"""Servers before one PostgreSQL: two at once, and one whose database goes away and comes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from doorward.app.house import House, create_house
from doorward.core.errors import Conflict, Unavailable
from doorward.people.model import Basis
from doorward.people.service import enrol_face, forget_person, identify_face
from tests.faults.processes import SITE_ID, Running, Zygote
from tests.faults.site import Site, furnish
from tests.people.office import near, photos
from tests.postgres import Grown, grow, grown_server

ROUNDS = 6


@pytest.fixture
def grown_site(tmp_path: Path, zygote: Zygote, grown: Grown) -> Site:
    grow(tmp_path / "site", grown.new_database())
    return Site(tmp_path / "site", zygote, furnish(tmp_path / "site"), tmp_path)


@pytest.fixture
def pair(grown_site: Site) -> Iterator[tuple[Running, Running]]:
    """Two servers on the same records."""
    with grown_site.serving() as one, grown_site.serving() as two:
        yield one, two


def test_two_servers_answer_one_numbered_sighting_alike_and_keep_one_log(
    grown_site: Site, pair: tuple[Running, Running]
) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(ROUNDS):
            signed = grown_site.sighting()
            answers = list(pool.map(Running.ask, pair * 2, [signed] * 4))
            assert len({grown_site.permit(answer) for answer in answers}) == 1
    assert len(grown_site.passages()) == ROUNDS
    assert grown_site.verified().size > ROUNDS


def test_what_one_server_changed_counts_at_the_next_sighting_before_the_other(
    grown_site: Site, pair: tuple[Running, Running]
) -> None:
    one, two = pair
    person = grown_site.facts.person_id
    assert grown_site.permit(two.ask(grown_site.sighting())).opens
    grant = one.client.get(f"/api/v1/sites/{SITE_ID}/grants?holder_id={person}").json()["items"][0]
    assert one.client.delete(f"/api/v1/sites/{SITE_ID}/grants/{grant['id']}").is_success
    assert not grown_site.permit(two.ask(grown_site.sighting())).opens
    assert two.post("/grants", {"holder_id": person}).is_success
    assert grown_site.permit(one.ask(grown_site.sighting())).opens


def seen_by(house: House) -> str | None:
    with house.unit() as unit:
        return identify_face(unit, house.recogniser, near(1, 99), one_in=200)


def test_a_face_that_one_process_enrolled_or_erased_is_so_for_the_other(grown_site: Site) -> None:
    person = grown_site.facts.person_id
    with grown_site.opened() as here, grown_site.opened() as there:
        assert (seen_by(here), seen_by(there)) == (None, None)
        with here.unit() as unit:
            shown = photos(1)
            done = enrol_face(unit, here.recogniser, person, shown, basis=Basis.CONSENT, notice="1")
            assert done.enrolled
        assert (seen_by(there), seen_by(here)) == (person, person)
        with there.unit() as unit:
            forget_person(unit, there.recogniser, person)
        assert (seen_by(here), seen_by(there)) == (None, None)


def test_a_gate_stays_shut_while_the_database_is_gone_and_opens_by_itself_when_it_is_back(
    tmp_path: Path, zygote: Zygote
) -> None:
    with grown_server() as database:
        grow(tmp_path / "site", database.new_database())
        site = Site(tmp_path / "site", zygote, furnish(tmp_path / "site"), tmp_path)
        with site.serving() as server:
            assert site.permit(server.ask(site.sighting(number=1))).opens
            database.stop()
            unanswered = site.sighting(number=2)
            for answer in (server.ask(unanswered), server.client.get("/health")):
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
                assert "does not answer" in answer.json()["detail"]
            with pytest.raises(Unavailable):
                site.passages()
            database.start()
            assert server.client.get("/health").status_code == 200
            assert site.permit(server.ask(unanswered)) == site.permit(server.ask(unanswered))
            assert [one.sequence for one in site.passages()] == [2, 1]
        assert site.verified().size > 2


def test_no_second_site_is_made_over_one_that_is_there(
    grown_site: Site, grown: Grown, tmp_path: Path
) -> None:
    used = (grown_site.folder / "database.url").read_text()
    grow(tmp_path / "other", used)
    with pytest.raises(Conflict, match="holds a site already"):
        create_house(tmp_path / "other")
    assert not (tmp_path / "other" / "keys").exists()
