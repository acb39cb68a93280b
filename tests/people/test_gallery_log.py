from doorward.people.service import Recogniser, add_vehicle, find_vehicle
from doorward.people.store import faces
from tests.conftest import SITE
from tests.people.office import Office


def prune(office: Office, keep: int) -> int:
    with office.unit() as unit:
        return faces.forget_changes(unit.rows, keep)


def loads(office: Office) -> int:
    return len(office.events("gallery.loaded"))


def plate(number: int) -> str:
    return f"KA47T{number:02d}"


def car(office: Office, number: int) -> str:
    with office.unit() as unit:
        return add_vehicle(unit, office.vault, plate(number)).id


def whose(office: Office, number: int, recogniser: Recogniser) -> str | None:
    with office.unit() as unit:
        return find_vehicle(unit, recogniser, [(plate(number), 0.95)]).vehicle_id


def test_the_log_of_changes_is_pruned_to_its_newest_entries_of_each_site(office: Office) -> None:
    for seed in range(5):
        car(office, seed)
    with office.unit("site_other") as unit:
        faces.add_change(unit.rows, "site_other", "person_far_away")
    assert prune(office, 2) == 3
    assert prune(office, 2) == 0
    with office.unit() as unit:
        assert len(faces.list_changed(unit.rows, SITE, faces.Mark())) == 2
        assert len(faces.list_changed(unit.rows, "site_other", faces.Mark())) == 1


def test_a_process_that_was_away_loads_its_gallery_whole(office: Office) -> None:
    away = office.another_process()
    first = car(office, 0)
    assert whose(office, 0, away) == first
    people = [car(office, seed) for seed in range(1, 5)]
    prune(office, 2)
    before = loads(office)
    assert [whose(office, seed, away) for seed in range(1, 5)] == people
    assert loads(office) == before + 1


def test_a_process_that_kept_up_goes_on_without_loading(office: Office) -> None:
    here = office.another_process()
    for seed in range(4):
        person = car(office, seed)
        assert whose(office, seed, here) == person
    prune(office, 1)
    last, before = car(office, 5), loads(office)
    assert whose(office, 5, here) == last
    assert loads(office) == before


def test_a_process_that_began_with_an_empty_site_misses_nobody(office: Office) -> None:
    early = office.another_process()
    assert whose(office, 0, early) is None
    people = [car(office, seed) for seed in range(4)]
    prune(office, 1)
    assert [whose(office, seed, early) for seed in range(4)] == people
