"""What is made ready before anybody knocks, and what is left for later when it cannot be."""

from pathlib import Path

from doorward.app.house import CONSOLE, create_house
from doorward.app.warming import warm
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_person, enrol_face
from tests.people.office import near, photos


def test_every_sites_faces_are_ready_before_the_first_is_shown(tmp_path: Path) -> None:
    house = create_house(tmp_path / "site")
    assert warm(house) == 0
    for seed, site_id in enumerate(("site_home", "site_far")):
        with house.database.unit(CONSOLE, site_id) as unit:
            person = add_person(unit, house.vault, NewPerson(name="Ada Example", basis=Basis.CONSENT))
            enrol_face(unit, house.recogniser, person.id, photos(seed), basis=Basis.CONSENT, notice="1")
    assert warm(house) == 2
    with house.unit() as unit:
        assert house.recogniser.matcher.identify(unit, near(0, 9), one_in=200) is not None
    house.close()
