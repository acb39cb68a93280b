"""Without the key ring somebody writes into manifest or blocks: no stranger gets in by it, all is mended."""

from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import text

from doorward.gallery import service
from doorward.platform.db import Unit
from tests.gallery.site import Site, direction, name

MANY = range(2100)  # two blocks


def swap_objects(unit: Unit) -> None:
    digests = list(unit.rows.execute(text("SELECT digest FROM gallery_blocks ORDER BY number")).scalars())
    for number, digest in enumerate(reversed(digests)):
        unit.rows.execute(
            text("UPDATE gallery_blocks SET digest = :digest WHERE number = :number"),
            {"digest": digest, "number": number},
        )


def change_mask(unit: Unit) -> None:
    unit.rows.execute(text("UPDATE gallery_shelves SET mask_seed = :seed"), {"seed": bytes(32)})


def swap_seeds(unit: Unit) -> None:
    seeds = list(unit.rows.execute(text("SELECT seed FROM gallery_blocks ORDER BY number")).scalars())
    for number, seed in enumerate(reversed(seeds)):
        unit.rows.execute(
            text("UPDATE gallery_blocks SET seed = :seed WHERE number = :number"),
            {"seed": seed, "number": number},
        )


@pytest.mark.parametrize("change", [swap_objects, change_mask, swap_seeds])
def test_a_changed_manifest_lets_no_stranger_in_and_is_mended(
    site: Site, change: Callable[[Unit], None]
) -> None:
    """Decrypted under the wrong secret or mask a block is noise, and the best of 2048 noises fits anybody."""
    site.enrol(*MANY)
    with site.unit() as unit:
        change(unit)
    fresh = site.another_process()
    assert [fresh.who(stranger) for stranger in range(9000, 9008)] == [None] * 8
    assert [fresh.who(seed) for seed in (0, 7, 2099)] == [name(0), name(7), name(2099)]
    assert fresh.events("gallery.block-mended") == 2


def test_a_block_changed_in_place_is_not_sealed_anew_as_it_is(site: Site) -> None:
    """Whole steps added to a block change the templates in it, and still open: its name tells."""
    site.enrol(1, 2)
    assert site.who(1) == name(1)
    (path,) = (path for path in site.folder.rglob("*") if path.is_file())
    with path.open("r+b") as out:  # the mapping changes with it
        cells = np.fromfile(path, "<i4").reshape(2048, -1)
        cells[:, 3] += 43 * 5  # the transform of a constant: five steps more for the first person
        out.write(cells.tobytes())
    site.enrol(3)
    assert site.events("gallery.block-mended") == 1
    for each in (site, site.another_process()):
        assert [each.who(seed) for seed in (1, 2, 3)] == [name(1), name(2), name(3)]
        with each.unit() as unit:
            assert service.identify(unit, each.keyholder, direction(1), 0.98) == name(1)
