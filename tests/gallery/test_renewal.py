"""Renewing everything while gates go on: nobody comes back; the old gallery opens for nobody."""

import numpy as np
import pytest

from doorward.core.errors import Conflict, NotFound
from doorward.gallery import service, store
from doorward.gallery.model import State
from doorward.gallery.service.sealing import secret_of, unsealed_rotation
from tests.conftest import SITE
from tests.gallery.site import Site, name

PEOPLE = range(2100)


def begin(site: Site) -> None:
    with site.unit() as unit:
        service.begin_rekey(unit, site.keyholder)


def step(site: Site) -> bool:
    with site.unit() as unit:
        return service.go_on(unit, site.keyholder)


def finish(site: Site) -> None:
    while not step(site):
        pass
    with site.unit() as unit:
        while not service.clear_retired(unit):
            pass


def test_people_are_known_before_during_and_after(site: Site) -> None:
    site.enrol(*PEOPLE)
    before = {block.digest for block in site.blocks_now()}
    begin(site)
    assert site.who(5) == name(5)
    assert not step(site)
    assert (site.who(5), site.who(2099)) == (name(5), name(2099))
    finish(site)
    assert (site.who(5), site.who(2099), site.count()) == (name(5), name(2099), len(PEOPLE))
    assert not before & {block.digest for block in site.blocks_now()}


def test_whoever_comes_or_goes_meanwhile_is_right_in_the_new_gallery(site: Site) -> None:
    site.enrol(*PEOPLE)
    begin(site)
    step(site)
    site.enrol(5000)
    site.forget(3, 2099)
    assert (site.who(5000), site.who(3)) == (name(5000), None)
    finish(site)
    assert [site.who(seed) for seed in (5000, 3, 2099, 4)] == [name(5000), None, None, name(4)]
    assert site.count() == len(PEOPLE) - 1


def test_no_key_of_the_old_gallery_is_left(site: Site) -> None:
    site.enrol(1, 2)
    with site.unit() as unit:
        former = store.find_generation(unit.rows, SITE, State.CURRENT)
        assert former is not None
        (shelf,) = store.list_shelves(unit.rows, former.id)
        (block,) = store.list_blocks(unit.rows, former.id)
    begin(site)
    finish(site)
    with site.unit() as unit:
        with pytest.raises(NotFound):
            secret_of(unit, site.vault, shelf, block)
        with pytest.raises(NotFound):
            unsealed_rotation(unit, site.vault, former)


def test_old_and_new_rotations_share_nothing(site: Site) -> None:
    site.enrol(1)
    seeds = []
    for _ in range(2):
        with site.unit() as unit:
            current = store.find_generation(unit.rows, SITE, State.CURRENT)
            assert current is not None
            seeds.append(unsealed_rotation(unit, site.vault, current))
        begin(site)
        finish(site)
    assert len(set(seeds)) == 2
    assert len({len(seed) for seed in seeds}) == 1
    assert np.frombuffer(seeds[0], np.uint8).tolist() != np.frombuffer(seeds[1], np.uint8).tolist()


def test_a_renewal_goes_on_in_another_process_where_the_first_was_cut_short(site: Site) -> None:
    site.enrol(*PEOPLE)
    begin(site)
    step(site)
    survivor = site.another_process()
    finish(survivor)
    assert (survivor.who(2099), site.who(0)) == (name(2099), name(0))


def test_whose_template_does_not_open_is_left_out_and_told_of(site: Site) -> None:
    site.enrol(1, 2)
    del site.kept[name(1)]
    begin(site)
    finish(site)
    assert (site.who(1), site.who(2)) == (None, name(2))
    assert site.events("subject.unreadable") == 1


def test_two_renewals_at_once_and_one_of_nothing_are_refused(site: Site) -> None:
    with pytest.raises(Conflict):
        begin(site)
    site.enrol(1)
    begin(site)
    with pytest.raises(Conflict):
        begin(site)
