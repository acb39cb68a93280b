"""A decider and a matcher in two processes: what is asked is answered whole, and never in part."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from doorward.core.errors import Unavailable
from doorward.gallery import service
from doorward.gallery.drivers.either_matcher import EitherMatcher
from doorward.gallery.drivers.local_matcher import LocalMatcher
from doorward.gallery.model import Wanted
from doorward.matching.block_files import FolderBlocks
from tests.conftest import SteppingClock
from tests.gallery.site import Site, name
from tests.matcher.world import Decider, Running, same, serving


def test_answers_are_the_truth_and_missing_blocks_are_sent(running: Running, decider: Decider) -> None:
    wanted = [
        Wanted("shelf_a", decider.sealed(3)),
        Wanted("shelf_b", decider.sealed(1)),
        Wanted("shelf_c", ()),
    ]
    query = decider.query()
    matcher = decider.matcher(running)
    assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
    held = {path.name for path in running.files}
    assert {digest for one in wanted for digest in one.digests} <= held
    assert same(matcher.answer(query, wanted[:1]), decider.truth(query, wanted[:1]))


def test_a_shelf_changes_block_by_block(running: Running, decider: Decider) -> None:
    first, second, third = decider.sealed(3)
    matcher, query = decider.matcher(running), decider.query()
    for digests in [(first,), (first, second), (third, second), (third,)]:
        wanted = [Wanted("shelf_changing", digests)]
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))


def test_more_shelves_than_one_search_takes(running: Running, decider: Decider) -> None:
    digests = decider.sealed(2)
    wanted = [Wanted(f"shelf_{number}", (digests[number % 2],)) for number in range(66)]
    query = decider.query()
    assert same(decider.matcher(running).answer(query, wanted), decider.truth(query, wanted))


def test_deciders_have_blocks_of_their_own(running: Running, decider: Decider, other: Decider) -> None:
    mine, theirs = [Wanted("shelf_1", decider.sealed())], [Wanted("shelf_1", other.sealed())]
    query, another = decider.query(), other.query()
    matcher, foreign = decider.matcher(running), other.matcher(running)
    for _ in range(2):
        assert same(matcher.answer(query, mine), decider.truth(query, mine))
        assert same(foreign.answer(another, theirs), other.truth(another, theirs))
    with pytest.raises(Unavailable, match="damaged here"):
        foreign.answer(another, mine)  # a name is no way to another's blocks


def test_a_sweep_forgets_what_nobody_names(place: Path, decider: Decider) -> None:
    with serving(place / "swept", decider, most_blocks=3) as running:
        matcher, query = decider.matcher(running), decider.query()
        kept, old, late = decider.sealed(3)
        matcher.answer(query, [Wanted("shelf_1", (kept, old, late))])
        for path in running.files:
            if path.name in (kept, old):
                os.utime(path, (time.time() - 700,) * 2)
        with pytest.raises(Unavailable, match="no room"):
            matcher.answer(query, [Wanted("shelf_2", decider.sealed())])
        matcher.keep({kept})
        held = {path.name for path in running.files}
        assert (kept in held, old in held, late in held) == (True, False, True)
        wanted = [Wanted("shelf_2", decider.sealed())]  # there is room again
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))
        wanted = [Wanted("shelf_1", (kept, late))]
        assert same(matcher.answer(query, wanted), decider.truth(query, wanted))


def test_a_block_that_a_disk_spoilt_is_sent_again(place: Path, decider: Decider) -> None:
    with serving(place / "spoilt", decider) as running:
        (digest,) = decider.sealed()
        wanted, query = [Wanted("shelf_1", (digest,))], decider.query()
        decider.matcher(running).answer(query, wanted)
        running.kill()
        (path,) = (path for path in running.files if path.name == digest)
        path.write_bytes(bytes(path.stat().st_size))
        running.start()
        assert same(decider.matcher(running).answer(query, wanted), decider.truth(query, wanted))


def test_a_block_of_another_length_is_no_answer(running: Running, decider: Decider) -> None:
    digest = decider.blocks.put(np.zeros((2048, 8), np.int32))
    with pytest.raises(Unavailable, match="invalid"):
        decider.matcher(running).answer(decider.query(), [Wanted("shelf_odd", (digest,))])


def test_a_gallery_lives_on_a_matcher_elsewhere(site: Site, place: Path, decider: Decider) -> None:
    with serving(place / "gallery", decider) as running:
        decider.blocks = FolderBlocks(site.folder)
        site.keyholder.matcher = EitherMatcher(decider.matcher(running), LocalMatcher(site.blocks))
        site.enrol(1, 2, 3)
        assert [site.who(seed) for seed in (1, 2, 3, 9)] == [name(1), name(2), name(3), None]
        assert site.fits(2, 2)
        site.forget(2)
        assert [site.who(seed) for seed in (1, 2)] == [name(1), None]
        running.again()
        assert site.who(3) == name(3)
        with site.unit() as unit:
            service.sweep_blocks(unit, site.keyholder)
        running.kill()
        with pytest.raises(Unavailable, match="does not answer"):
            site.who(1)
        with site.unit() as unit:  # the next sweep tells it
            service.sweep_blocks(unit, site.keyholder)


@pytest.fixture
def site(database, clock: SteppingClock, vault, tmp_path: Path) -> Site:  # type: ignore[no-untyped-def]
    return Site(database, clock, vault, tmp_path / "gallery")
