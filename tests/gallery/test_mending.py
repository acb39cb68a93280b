"""Bad disks, forged answers and full disks: people stay known, or the gate says that it is in doubt."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from doorward.core.errors import Conflict, NotFound, Unavailable
from doorward.gallery import service, store
from doorward.gallery.model import State
from doorward.gallery.rules import MOST_REFUSED
from doorward.gallery.service.sealing import secret_of
from doorward.matching.blocks import Cells
from doorward.matching.matcher import Answer
from doorward.matching.parameters import MODULUS, SCORE_SCALE
from tests.conftest import SITE
from tests.gallery.site import Liar, Site, name, one_word, spoil


def files(site: Site) -> list[Path]:
    return [path for path in site.folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("harm", [spoil, Path.unlink, lambda path: path.write_bytes(b"short")])
def test_a_block_that_a_disk_spoilt_is_made_anew_at_the_next_start(
    site: Site, harm: Callable[[Path], object]
) -> None:
    site.enrol(1, 2, 3)
    harm(files(site)[0])
    fresh = site.another_process()
    assert [fresh.who(seed) for seed in (1, 2, 3, 4)] == [name(1), name(2), name(3), None]
    assert site.events("gallery.block-mended") == 1


def test_a_gallery_whose_rotation_is_lost_is_retired_and_can_be_filled_again(site: Site) -> None:
    site.enrol(1, 2)
    with site.unit() as unit:
        current = store.find_generation(unit.rows, SITE, State.CURRENT)
        assert current is not None
        store.change_generation(unit.rows, current.id, rotation=b"?" * len(current.rotation))
    fresh = site.another_process()
    assert fresh.who(1) is None
    with fresh.unit() as unit:
        assert service.missing(unit, sorted(site.kept)) == sorted(site.kept)
        service.enrol(unit, fresh.keyholder, dict(site.kept))
    assert (fresh.who(1), fresh.count()) == (name(1), 2)


def forced(answer: Answer) -> Answer:
    """The score of the first person of the first block raised by nine tenths."""
    face = answer.face.copy()
    face[0] = (face[0].astype(np.uint64) + int(SCORE_SCALE * 0.9)) % MODULUS
    return Answer(face, answer.mask)


def cut_short(answer: Answer) -> Answer:
    return Answer(answer.face[:-1], answer.mask[:-1])


@pytest.mark.parametrize("lie", [forced, one_word, cut_short])
def test_a_forged_answer_opens_for_nobody_and_is_the_last_that_is_asked_for(
    site: Site, lie: Callable[[Answer], Answer]
) -> None:
    site.enrol(0, 1)
    honest = site.keyholder.matcher
    site.keyholder.matcher = Liar(honest, lie)
    assert site.who(99) is None
    assert site.events("gallery.answer-forged") == 1
    site.keyholder.matcher = honest
    assert site.who(1) is None
    assert not site.another_process().fits(1, 1)
    with site.unit() as unit:
        assert service.standing(unit).distrusted_at is not None
        assert service.trust_again(unit, site.keyholder) == 0
    assert site.who(1) == name(1)
    with site.unit() as unit, pytest.raises(Conflict):
        service.trust_again(unit, site.keyholder)


def test_a_block_changed_under_a_running_server_is_found_out_and_mended(site: Site) -> None:
    site.enrol(1, 2)
    assert site.who(1) == name(1)
    with files(site)[0].open("r+b") as out:  # in place: the mapping changes with it
        out.write(b"????")
    assert site.who(1) is None
    with site.unit() as unit:
        assert service.trust_again(unit, site.keyholder) == 1
    assert (site.who(1), site.who(2)) == (name(1), name(2))


def test_many_refusals_end_the_asking_for_a_while(site: Site) -> None:
    site.enrol(1)
    for shot in range(int(MOST_REFUSED)):
        assert site.who(50, shot) is None
    assert site.who(1) is None
    assert site.events("gallery.asked-too-often") == 1
    site.clock.advance(seconds=5)
    assert site.who(1) == name(1)


class FullDisk:
    """Blocks that can be read and not written."""

    def __init__(self, site: Site) -> None:
        self.blocks = site.blocks

    def put(self, cells: Cells) -> str:
        raise Unavailable("The disk is full.")

    def get(self, digest: str) -> Cells:
        return self.blocks.get(digest)


def test_a_full_disk_refuses_newcomers_and_still_forgets(site: Site) -> None:
    site.enrol(1, 2)
    site.keyholder.blocks, disk = FullDisk(site), site.keyholder.blocks  # type: ignore[assignment]
    with pytest.raises(Unavailable):
        site.enrol(3)
    site.forget(2)
    assert (site.who(1), site.who(2), site.who(3)) == (name(1), None, None)
    (block,) = site.blocks_now()
    assert block.dirty
    site.keyholder.blocks = disk
    with site.unit() as unit:
        assert service.clear_forgotten(unit, site.keyholder) == 1
    (block,) = site.blocks_now()
    assert not block.dirty
    assert site.who(1) == name(1)


def test_a_gallery_whose_rotation_is_lost_leaves_no_key_and_no_renewal_behind(site: Site) -> None:
    site.enrol(1, 2)
    with site.unit() as unit:
        service.begin_rekey(unit, site.keyholder)
    with site.unit() as unit:
        service.go_on(unit, site.keyholder)
        kept = service.list_kept(unit)
        current = kept[0][0]
        store.change_generation(unit.rows, current.id, rotation=b"?" * len(current.rotation))
    fresh = site.another_process()
    assert fresh.who(1) is None
    with fresh.unit() as unit:
        assert len(kept) == 2
        for _, shelf, block in kept:
            with pytest.raises(NotFound):
                secret_of(unit, site.vault, shelf, block)
        service.enrol(unit, fresh.keyholder, dict(site.kept))
    with fresh.unit() as unit:
        assert service.clear_retired(unit)
        service.begin_rekey(unit, fresh.keyholder)
    with fresh.unit() as unit:
        assert not service.go_on(unit, fresh.keyholder)
        assert service.go_on(unit, fresh.keyholder)
    assert (fresh.who(1), fresh.count()) == (name(1), 2)
