"""Proves each block by its name and its seal, and makes anew what fails."""

from collections.abc import Sequence

from doorward.audit.service import record
from doorward.core.errors import NotFound, Tampered
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Shelf
from doorward.gallery.service.keyholder import KeyHolder
from doorward.gallery.service.mending import have_read_anew, mend_block
from doorward.gallery.service.sealing import secret_of
from doorward.platform.db import Unit

Kept = tuple[Generation, Shelf, Block]


def list_kept(unit: Unit) -> list[Kept]:
    """Every block of this site's gallery, and of the one that a renewal fills."""
    return [
        (generation, shelf, block)
        for generation in store.list_alive(unit.rows, unit.site_id)
        for shelf, block in store.list_shelved(unit.rows, generation.id)
    ]


def is_sound(unit: Unit, keyholder: KeyHolder, kept: Kept) -> bool:
    """Whether a block, read anew, is what its name says, and its seal opens for a block of that name."""
    _, shelf, block = kept
    try:
        secret_of(unit, keyholder.vault, shelf, block)
    except (NotFound, Tampered):
        return False
    return keyholder.blocks.is_sound(block.digest)


def mend(unit: Unit, keyholder: KeyHolder, unsound: Sequence[Kept], *, checked: int) -> int:
    """Make these blocks anew from the sealed templates, of so many that were checked; how many.

    One that was replaced since it was looked at is left alone.
    """
    sealer = keyholder.sealer(unit)
    still = [one for one in unsound if store.find_block(unit.rows, one[2].shelf_id, one[2].number) == one[2]]
    for generation, shelf, block in still:
        mend_block(sealer, keyholder.templates, generation, shelf, block)
    for generation in {generation.id: generation for generation, _, _ in still}.values():
        have_read_anew(unit, generation)
    record(unit, "gallery.checked", blocks=checked, mended=len(still))
    return len(still)
