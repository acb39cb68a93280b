from doorward.people.store import faces
from tests.conftest import SITE
from tests.people.office import Office


def prune(office: Office, keep: int) -> int:
    with office.unit() as unit:
        return faces.forget_changes(unit.rows, keep)


def loads(office: Office) -> int:
    return len(office.events("gallery.loaded"))


def test_the_log_of_changes_is_pruned_to_its_newest_entries_of_each_site(office: Office) -> None:
    for seed in range(5):
        office.known(seed)
    with office.unit("site_other") as unit:
        faces.add_change(unit.rows, "site_other", "person_far_away")
    assert prune(office, 2) == 3
    assert prune(office, 2) == 0
    with office.unit() as unit:
        assert len(faces.list_changed(unit.rows, SITE, faces.Mark())) == 2
        assert len(faces.list_changed(unit.rows, "site_other", faces.Mark())) == 1


def test_a_process_that_was_away_loads_its_gallery_whole(office: Office) -> None:
    away = office.another_process()
    first = office.known(0)
    assert office.who(0, away) == first
    people = [office.known(seed) for seed in range(1, 5)]
    prune(office, 2)
    before = loads(office)
    assert [office.who(seed, away) for seed in range(1, 5)] == people
    assert loads(office) == before + 1


def test_a_process_that_kept_up_goes_on_without_loading(office: Office) -> None:
    here = office.another_process()
    for seed in range(4):
        person = office.known(seed)
        assert office.who(seed, here) == person
    prune(office, 1)
    last, before = office.known(5), loads(office)
    assert office.who(5, here) == last
    assert loads(office) == before


def test_a_process_that_began_with_an_empty_site_misses_nobody(office: Office) -> None:
    early = office.another_process()
    assert office.who(0, early) is None
    people = [office.known(seed) for seed in range(4)]
    prune(office, 1)
    assert [office.who(seed, early) for seed in range(4)] == people
