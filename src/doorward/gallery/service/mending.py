"""Puts right what does not open any more, from the sealed templates: a block, or a whole gallery.

A block that was changed on the disk, or a database restored from an older copy whose keys are gone, must not
make people unknown. The templates lie sealed under their own keys; from them all of it can be made anew.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from doorward.audit.service import record
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Shelf, State, Template
from doorward.gallery.rules import NOBODY
from doorward.gallery.service.sealing import Sealer, unsealed_rotation
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue
from doorward.vault.service import drop_key

CLEAR_RETIRED = "gallery.clear_retired"
Templates = Callable[[Unit, Sequence[str]], Mapping[str, Template]]
"""Finds the sealed templates of these subjects and unseals them; whoever's does not open is left out."""


def mend_block(
    sealer: Sealer, templates: Templates, generation: Generation, shelf: Shelf, block: Block
) -> Block:
    """A block that no longer opens, sealed anew with everybody whose template does."""
    unit = sealer.unit
    members = store.list_members(unit.rows, block.shelf_id, block.number)
    found = templates(unit, [subject_id for subject_id, _ in members])
    slots = {slot: found[subject_id] for subject_id, slot in members if subject_id in found}
    leave_out(unit, [subject_id for subject_id, _ in members if subject_id not in found])
    steps = {}
    if slots:
        rotation = unsealed_rotation(unit, sealer.vault, generation)
        faces = np.stack(list(slots.values())).astype(np.float32)
        rows = sealer.schemes[generation.scheme].stored(faces, rotation)
        steps = dict(zip(slots, rows, strict=True))
    record(unit, "gallery.block-mended", shelf=shelf.id, block=block.number, faces=len(slots))
    return sealer.seal(generation, shelf, emptied(block), steps)


def mend_unsound(sealer: Sealer, templates: Templates, generation: Generation) -> int:
    """Make every block anew whose object is not what was sealed; how many."""
    shelved = store.list_shelved(sealer.unit.rows, generation.id)
    unsound = [(shelf, block) for shelf, block in shelved if not sealer.blocks.is_sound(block.digest)]
    for shelf, block in unsound:
        mend_block(sealer, templates, generation, shelf, block)
    return len(unsound)


def have_read_anew(unit: Unit, generation: Generation) -> None:
    """Make every process read all blocks anew.

    One that has a bad block mapped cannot take it out again by what it reads there now.
    """
    token = secrets.token_bytes(8)
    store.change_generation(unit.rows, generation.id, token=token, trusted_at=unit.now)


def retire(unit: Unit, generation: Generation) -> None:
    """Search a gallery no more: its keys go at once, its rows soon after."""
    for block in store.list_blocks(unit.rows, generation.id):
        drop_key(unit, block.seal_id)
    drop_key(unit, generation.rotation_id)
    store.change_generation(unit.rows, generation.id, state=State.RETIRED.value)
    enqueue(unit, CLEAR_RETIRED)


def begin_anew(unit: Unit, unreadable: Generation) -> None:
    """This one's rotation does not open: it goes, and what was to follow it; templates fill a new one."""
    filling = store.find_generation(unit.rows, unit.site_id, State.FILLING)
    for generation in (unreadable, filling):
        if generation is not None:
            record(unit, "gallery.retired", generation=generation.id)
            retire(unit, generation)


def leave_out(unit: Unit, subject_ids: Sequence[str]) -> None:
    """Forget where these lie, and say so: their templates do not open."""
    for subject_id in subject_ids:
        store.forget_place(unit.rows, subject_id)
        record(unit, "subject.unreadable", subject_id=subject_id, of=len(subject_ids))


def emptied(block: Block) -> Block:
    """A block without its content; its former key is still named, to be destroyed."""
    return Block(
        shelf_id=block.shelf_id,
        number=block.number,
        seal_id=block.seal_id,
        digest="",
        seed=b"",
        living=NOBODY,
        dirty=False,
    )
