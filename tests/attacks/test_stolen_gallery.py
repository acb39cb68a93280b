"""A thief has every block and the whole manifest, even in the clear, but no key ring: it is noise to him.

He knows half of the people and where each lies, and gets the site's rotation as a present. The last tests run
the same attacks on weakened copies, where they must succeed: otherwise they would prove nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.core.errors import NotFound, Tampered
from doorward.gallery import service, store
from doorward.gallery.model import Block, Shelf, State
from doorward.gallery.service.sealing import secret_of, unsealed_rotation
from doorward.matching.blocks import Cells, Mask, _sealed_under, seal
from doorward.matching.parameters import GRID
from doorward.matching.rotation import stored
from doorward.platform.db import Unit
from doorward.platform.engine import encrypted_sqlite
from doorward.platform.refusals import translate
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault
from tests.attacks.thief import BY_CHANCE, SURE, apart, learnt, paired, undone, uneven
from tests.conftest import SITE
from tests.gallery.site import Site, name

Faces = NDArray[np.float32]


@dataclass(frozen=True)
class Loot:
    """The only block of a site, before and after it was sealed anew; each face with its slot."""

    cells: Cells
    former: Cells
    mask: Mask
    faces: Faces
    steps: Cells  # what he would have to know
    slots: list[int]

    @property
    def rows(self) -> Cells:
        return undone(self.cells)[self.slots]


def enrolled(site: Site, faces: Faces) -> None:
    templates = {name(number): face for number, face in enumerate(faces)}
    site.kept.update(templates)
    with site.unit() as unit:
        service.enrol(unit, site.keyholder, templates)


@pytest.fixture
def loot(site: Site, faces: Faces) -> Loot:
    enrolled(site, faces[:-1])
    (former,) = site.blocks_now()
    with site.unit() as unit:
        service.enrol(unit, site.keyholder, {name(len(faces) - 1): faces[-1]})
    (block,) = site.blocks_now()
    with site.unit() as unit:
        current = store.find_generation(unit.rows, SITE, State.CURRENT)
        assert current is not None
        (shelf,) = store.list_shelves(unit.rows, current.id)
        slots = {subject: slot for subject, slot in store.list_members(unit.rows, shelf.id, block.number)}
        rotation = unsealed_rotation(unit, site.vault, current)
    places = [slots[name(number)] for number in range(len(faces))]
    blocks = site.blocks
    mask = Mask(shelf.mask_seed, current.length)
    return Loot(
        blocks.get(block.digest), blocks.get(former.digest), mask, faces, stored(faces, rotation), places
    )


def half(faces: Faces) -> int:
    return len(faces) // 2


def test_the_numbers_are_as_even_as_random_ones(loot: Loot) -> None:
    for cells in (loot.cells, undone(loot.cells), loot.former, apart(loot.cells, loot.former)):
        assert uneven(cells) < BY_CHANCE
    assert uneven(undone(apart(loot.cells, loot.former))) < BY_CHANCE
    assert uneven(apart(loot.cells[1:], loot.cells[:-1])) < BY_CHANCE


def test_known_pairs_teach_nothing_about_the_others(loot: Loot) -> None:
    masks = undone(loot.mask.cells)[loot.slots]
    both = undone(apart(loot.cells, loot.former))[loot.slots]
    for numbers in (loot.rows, np.hstack([loot.rows, masks]), both, np.abs(loot.rows)):
        assert abs(learnt(numbers, loot.faces, known=half(loot.faces))) < BY_CHANCE


def test_the_sums_of_all_sealings_are_like_nobody(loot: Loot) -> None:
    together = loot.rows.astype(np.int64) + undone(loot.former)[loot.slots]
    for numbers in (loot.rows, together):
        assert abs(paired(numbers, loot.steps)) < BY_CHANCE


def test_not_even_the_right_guess_of_everybody_can_be_told_from_a_wrong_one(loot: Loot) -> None:
    """All templates guessed right, rotation and all: what is left of the block is noise in either case."""
    right = loot.rows.astype(np.int64) - GRID * loot.steps
    wrong = loot.rows.astype(np.int64) - GRID * loot.steps[::-1]
    assert uneven(right) < BY_CHANCE
    assert uneven(wrong) < BY_CHANCE


def opens(unit: Unit, vault: Vault, shelf: Shelf, block: Block) -> bool:
    try:
        secret_of(unit, vault, shelf, block)
    except (NotFound, Tampered):
        return False
    return True


def test_the_manifest_holds_seeds_that_only_the_key_ring_opens(site: Site, tmp_path: Path) -> None:
    site.enrol(*range(5))
    (block,) = site.blocks_now()
    other = tmp_path / "thief"
    own = Vault.create(other, FileCustodian(other / "root.key"), FolderObjects(tmp_path / "nothing"))
    with site.unit() as unit:
        current = store.find_generation(unit.rows, SITE, State.CURRENT)
        assert current is not None
        (shelf,) = store.list_shelves(unit.rows, current.id)
        assert opens(unit, site.vault, shelf, block)
        assert not opens(unit, own, shelf, block)
        with pytest.raises(Tampered):
            unsealed_rotation(unit, own, current)


def test_the_file_of_the_manifest_does_not_open_and_looks_like_noise(site: Site, tmp_path: Path) -> None:
    site.enrol(*range(5))
    site.database.engine.dispose()
    file = tmp_path / "doorward.db"
    content = np.frombuffer(file.read_bytes(), np.uint8)
    counts = np.bincount(content, minlength=256)
    expected = len(content) / 256
    assert (((counts - expected) ** 2 / expected).sum() - 255) / 510**0.5 < BY_CHANCE
    assert b"gallery_blocks" not in content.tobytes()
    engine = encrypted_sqlite(file, bytes(32))
    with pytest.raises(Exception, match="not a database") as refused, engine.connect() as link:
        link.exec_driver_sql("SELECT * FROM gallery_blocks")
    assert translate(refused.value) is not None  # type: ignore[arg-type]
    engine.dispose()


def test_control_a_seed_used_for_two_sealings_gives_everybody_away(loot: Loot) -> None:
    _, secret = seal(loot.steps, loot.mask)
    others = np.roll(loot.steps, 7, axis=0)
    cells, former = (_sealed_under(secret, steps, loot.mask)[0] for steps in (loot.steps, others))
    between = undone(apart(cells, former))[: len(loot.faces)]
    assert uneven(between) > SURE
    assert learnt(between + GRID * others, loot.faces, known=half(loot.faces)) > SURE / 2


def test_control_a_rotation_alone_falls_to_known_pairs(loot: Loot) -> None:
    assert uneven(loot.steps) > SURE
    assert learnt(loot.steps, loot.faces, known=half(loot.faces)) > SURE / 2


def test_control_whoever_holds_the_secret_sees_the_guess_confirmed(loot: Loot) -> None:
    """What is left of a block without its secret's part is error alone: 21 at most."""
    cells, secret = seal(loot.steps, loot.mask)
    product = loot.mask.cells.astype(np.int64) * secret.transformed[:, None]
    bare = undone(apart(cells, np.mod(product, 268_369_921).astype(np.int64)))[: len(loot.faces)]
    assert np.abs(bare - GRID * loot.steps).max() <= 21
