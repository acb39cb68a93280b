from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doorward.audit.service import list_entries
from doorward.gates.model import Reason, Zone
from doorward.gates.service import names_of, place_by_hand, set_piece, start_rollcall
from doorward.people.model.approvals import Action
from doorward.people.service import forget_person
from doorward.people.service.approvals import forget_ended_approvals
from doorward.people.store import counted
from doorward.platform.paging import page_request
from doorward.platform.settings import FourEyes
from doorward.vault.service import add_photo
from tests.conftest import SteppingClock
from tests.people.household import HERE, Household

LOOK = {"purpose": "guard-check"}


@pytest.fixture
def home(tmp_path: Path, clock: SteppingClock) -> Iterator[Household]:
    made = Household(tmp_path / "site", clock)
    settings = made.house.settings.model_copy(update={"four_eyes": FourEyes(looks=3, persons=2, minutes=10)})
    made.api.state.settings = settings
    yield made
    made.house.close()


def told(home: Household, event: str) -> list[str]:
    with home.house.unit() as unit:
        return [one.actor for one in list_entries(unit, page_request(limit=50), event=event).items]


def look(home: Household, who: str, person: str) -> Any:
    return home.ask(who, "GET", f"{HERE}/persons/{person}", params=LOOK)


def test_one_looks_at_a_few_people_and_the_log_tells_of_more(home: Household) -> None:
    people = home.persons(5)
    for one in (*people[:3], *people[:3]):
        assert look(home, "cyd", one).json()["name"].startswith("Person")
    stopped = look(home, "cyd", people[3])
    assert stopped.status_code == 403 and "people.look-on" in stopped.text and "name" not in stopped.json()
    assert told(home, "people.looked_too_often") == [home.ids["cyd"]]
    assert look(home, "cyd", people[0]).is_success, "who was seen may be seen again"
    assert look(home, "ada", people[3]).is_success
    home.clock.advance(minutes=10)
    assert look(home, "cyd", people[3]).is_success


def test_searches_photos_and_plates_count_as_looks(home: Household) -> None:
    people = home.persons(4)
    with home.house.unit() as unit:
        photo = add_photo(unit, home.house.vault, people[3], b"\xff\xd8" + bytes(9))
    plate = {"plate": "KA 77 TST", "listing": "allow"}
    vehicle = home.done("ada", "POST", f"{HERE}/vehicles", plate)["id"]
    look(home, "ada", people[0])
    home.done("ada", "POST", f"{HERE}/persons/search", {"name": "Nobody Known"})
    home.done("ada", "POST", f"{HERE}/persons/search", {"name": "Person 1"})
    home.done("ada", "GET", f"{HERE}/vehicles/{vehicle}", params=LOOK)
    assert "ids" not in home.ask("ada", "POST", f"{HERE}/persons/search", {"name": "Person 2"}).json()
    home.refused("ada", "POST", f"{HERE}/vault/photos/{photo}/grants", LOOK)
    home.refused("ada", "POST", f"{HERE}/persons/search", {"name": "Person 3"})
    assert home.ask("ada", "GET", f"{HERE}/persons/person_nobody", params=LOOK).status_code == 404
    assert len(told(home, "people.looked_too_often")) == 3


def test_who_must_look_on_does_so_with_a_second_person(home: Household) -> None:
    people = home.persons(8)
    for one in people[:3]:
        look(home, "cyd", one)
    facts = {"account": home.ids["cyd"]}
    asked = home.approved("cyd", "ada", "people.look-on", facts)
    home.refused("ada", "POST", f"{HERE}/persons/looks", {"approval_id": asked})
    home.done("cyd", "POST", f"{HERE}/persons/looks", {"approval_id": asked})
    assert [look(home, "cyd", one).status_code for one in people[3:7]] == [200, 200, 200, 403]
    home.refused("cyd", "POST", f"{HERE}/persons/looks", {"approval_id": asked})


def test_in_an_emergency_nobody_is_kept_from_the_list_and_the_looks_count(home: Household) -> None:
    people, post = home.persons(5), home.house.post
    with home.house.unit() as unit:
        set_piece(unit, post, Zone(id="zone_yard", name="Yard"))
    with home.house.unit(home.room.actor(home.ids["ada"])) as unit:
        for one in people[:4]:
            place_by_hand(unit, post, one, "zone_yard", reason=Reason.OTHER)
        muster = start_rollcall(unit, drill=False)
        for _ in range(2):
            assert len(names_of(unit, home.house.vault, muster)) == 4
        since = unit.now - timedelta(minutes=1)
        seen = counted.list_counted(unit.rows, home.ids["ada"], Action.LOOK_ON, since)
        assert seen == set(people[:4])
    home.refused("ada", "GET", f"{HERE}/persons/{people[4]}", params=LOOK)


def test_one_erases_a_few_vehicles_and_no_more(home: Household) -> None:
    made = [
        home.done("ada", "POST", f"{HERE}/vehicles", {"plate": f"KA 7{n} TST", "listing": "allow"})["id"]
        for n in range(4)
    ]
    for one in made[:2]:
        home.done("ada", "DELETE", f"{HERE}/vehicles/{one}")
    assert "vehicles.erase-many" in home.refused("ada", "DELETE", f"{HERE}/vehicles/{made[2]}")
    asked = home.approved("ada", "bea", "vehicles.erase-many", {"vehicles": [made[2]]})
    home.refused("ada", "DELETE", f"{HERE}/vehicles/{made[3]}", params={"approval_id": asked})
    home.done("ada", "DELETE", f"{HERE}/vehicles/{made[2]}", params={"approval_id": asked})


def test_what_staff_wrote_is_shown_with_an_entry_and_goes_with_the_proposal(home: Household) -> None:
    (person,) = home.persons(1)
    facts = {"persons": [person]}
    asked = home.approved("ada", "bea", "people.erase-many", facts)
    home.done("bea", "GET", f"{HERE}/approvals/{asked}")
    assert told(home, "approval.read") == [home.ids["bea"]] * 2, "to agree is to have read it"
    home.done("ada", "GET", f"{HERE}/api-keys")
    assert told(home, "api_keys.read") == [home.ids["ada"]]
    with home.house.unit() as unit:
        forget_person(unit, home.house.recogniser, person)
        forget_ended_approvals(unit)
    assert home.ask("bea", "GET", f"{HERE}/approvals/{asked}").is_success
    home.clock.advance(days=1)
    with home.house.unit() as unit:
        forget_ended_approvals(unit)
    assert home.ask("bea", "GET", f"{HERE}/approvals/{asked}").status_code == 404
