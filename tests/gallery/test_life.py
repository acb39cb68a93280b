"""Faces come, are found, are replaced and go; every process sees the same."""

import os

import pytest

from doorward.core.errors import Invalid
from doorward.gallery import service
from tests.gallery.site import Site, direction, name, near


def test_whoever_is_enrolled_is_found_and_nobody_else(site: Site) -> None:
    assert site.who(1) is None
    site.enrol(*range(20))
    assert [site.who(seed) for seed in range(20)] == [name(seed) for seed in range(20)]
    assert site.who(99) is None
    assert site.count() == 20


def test_a_claim_is_verified_against_that_person_alone(site: Site) -> None:
    site.enrol(1, 2)
    assert site.fits(1, 1)
    assert not site.fits(1, 2)
    assert not site.fits(3, 1)


def test_the_cut_decides(site: Site) -> None:
    site.enrol(*range(5))
    assert site.who(3, cut=0.75) == name(3)
    assert site.who(3, cut=0.85) is None


def test_enrolling_again_replaces(site: Site) -> None:
    site.enrol(1, 2)
    with site.unit() as unit:
        service.enrol(unit, site.keyholder, {name(1): direction(7)})
    assert (site.who(7), site.who(1), site.count()) == (name(1), None, 2)


def test_the_forgotten_are_gone_at_once_and_sealed_away(site: Site) -> None:
    site.enrol(1, 2, 3)
    before = site.blocks_now()
    site.forget(2, 99)
    (after,) = site.blocks_now()
    assert (site.who(2), site.who(1), site.count()) == (None, name(1), 2)
    assert not site.fits(2, 2)
    assert after.seal_id != before[0].seal_id
    assert not after.dirty


def test_a_unit_that_fails_changes_nothing(site: Site) -> None:
    site.enrol(1)
    with pytest.raises(RuntimeError), site.unit() as unit:
        service.enrol(unit, site.keyholder, {name(2): direction(2)})
        assert service.identify(unit, site.keyholder, near(2, 1), 0.5) == name(2)
        raise RuntimeError
    assert (site.who(2), site.who(1)) == (None, name(1))
    site.enrol(3)
    assert (site.who(3), site.who(2)) == (name(3), None)


def test_another_process_keeps_up(site: Site) -> None:
    other = site.another_process()
    site.enrol(1)
    assert other.who(1) == name(1)
    other.enrol(2)
    assert site.who(2) == name(2)
    site.forget(1)
    assert (other.who(1), other.who(2)) == (None, name(2))


def test_thousands_spread_over_blocks(site: Site) -> None:
    site.enrol(*range(2500))
    assert len(site.blocks_now()) == 2
    assert [site.who(seed) for seed in (0, 2047, 2048, 2499)] == [
        name(seed) for seed in (0, 2047, 2048, 2499)
    ]


def test_a_template_that_is_none_is_refused(site: Site) -> None:
    site.enrol(1)
    for broken in (direction(2) * 3, direction(2) * float("nan")):
        with pytest.raises(Invalid), site.unit() as unit:
            service.enrol(unit, site.keyholder, {name(2): broken})
        with pytest.raises(Invalid), site.unit() as unit:
            service.identify(unit, site.keyholder, broken, 0.5)
    assert site.who(1) == name(1)


def test_old_sealings_are_swept_once_nobody_can_need_them(site: Site) -> None:
    for seed in range(5):
        site.enrol(seed)
    files = [path for path in site.folder.rglob("*") if path.is_file()]
    assert len(files) == 5
    for path in files:
        path.touch()
    with site.unit() as unit:
        assert service.sweep_blocks(unit, site.keyholder) == 0
    for path in files:
        os.utime(path, (0, 0))
    with site.unit() as unit:
        assert service.sweep_blocks(unit, site.keyholder) == 4
    assert site.who(3) == name(3)
