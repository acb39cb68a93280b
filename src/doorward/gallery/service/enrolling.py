"""Faces come and go: sealed within the unit of the deed, forgotten at once, cleared soon after."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice

import numpy as np

from doorward.core.errors import Invalid, NotFound, Tampered, Unavailable
from doorward.core.ids import new_id
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Place, Shelf, State, Template
from doorward.gallery.ports import Steps
from doorward.gallery.rules import alive, bitmap_of, block_with_room, free_slots, is_full
from doorward.gallery.service.keyholder import KeyHolder
from doorward.gallery.service.mending import have_read_anew, mend_block
from doorward.gallery.service.sealing import Sealer, empty_block, fresh_rotation, unsealed_rotation
from doorward.matching.randomness import fresh_seed
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue

CLEAR_FORGOTTEN = "gallery.clear_forgotten"
CHANCE = secrets.SystemRandom()
TRIED_AGAIN = timedelta(seconds=30)


def enrol(unit: Unit, keyholder: KeyHolder, templates: Mapping[str, Template]) -> None:
    """Know these subjects by these templates, in place of former ones, as soon as the unit commits.

    Each block is sealed once, however many come into it.
    """
    if not templates:
        return
    _bury(unit, list(templates))
    length = len(next(iter(templates.values())))
    for generation in store.list_alive(unit.rows, unit.site_id) or [
        begin_generation(unit, keyholder, length, State.CURRENT)
    ]:
        enrol_into(unit, keyholder, generation, templates)
    clear_forgotten(unit, keyholder)  # of whom a former template lay in another block


def enrol_into(
    unit: Unit, keyholder: KeyHolder, generation: Generation, templates: Mapping[str, Template]
) -> None:
    """Put these into one generation, in which none of them lies yet."""
    if templates:
        if any(template.shape != (generation.length,) for template in templates.values()):
            raise Invalid(f"Templates of this gallery have {generation.length} numbers.")
        rows = np.stack(list(templates.values())).astype(np.float32)
        scheme = keyholder.schemes[generation.scheme]
        steps = scheme.stored(rows, unsealed_rotation(unit, keyholder.vault, generation))
        _fill(unit, keyholder, generation, dict(zip(templates, steps, strict=True)))


def forget(unit: Unit, keyholder: KeyHolder, subject_ids: Sequence[str]) -> None:
    """Know these subjects no more, from the moment the unit commits; no complaint if one was unknown.

    Their blocks are sealed anew without them, and the former seeds go with their keys; older copies of both
    close when the vault's ratchet has turned. Where the disk refuses, they are forgotten all the same, and a
    job seals the blocks once the disk is back.
    """
    if not _bury(unit, subject_ids):
        return
    try:
        clear_forgotten(unit, keyholder)
    except Unavailable:
        enqueue(unit, CLEAR_FORGOTTEN, delay=TRIED_AGAIN)


def _bury(unit: Unit, subject_ids: Sequence[str]) -> bool:
    """Nobody finds these any more; whether any of them was there."""
    graves: dict[tuple[str, int], list[int]] = {}
    for place in store.take_places(unit.rows, subject_ids):
        graves.setdefault((place.shelf_id, place.block), []).append(place.slot)
    for (shelf_id, number), slots in graves.items():
        block = store.find_block(unit.rows, shelf_id, number)
        if block is not None:
            living = alive(block.living).copy()
            living[slots] = False
            store.mark_block(unit.rows, block, living=bitmap_of(living), dirty=True)
    if graves:
        _changed(unit)
    return bool(graves)


def clear_forgotten(unit: Unit, keyholder: KeyHolder) -> int:
    """Seal every block anew that still holds somebody forgotten; how many there were."""
    cleared, sealer = 0, keyholder.sealer(unit)
    for generation in store.list_alive(unit.rows, unit.site_id):
        for shelf, block in store.list_shelved(unit.rows, generation.id):
            if block.dirty:
                _seal_anew(sealer, keyholder, generation, shelf, block, newcomers={})
                cleared += 1
    if cleared:
        _changed(unit)
    return cleared


def _seal_anew(
    sealer: Sealer,
    keyholder: KeyHolder,
    generation: Generation,
    shelf: Shelf,
    block: Block,
    *,
    newcomers: Mapping[int, Steps],
) -> Block:
    """Where a block no longer opens, from its people's sealed templates."""
    try:
        return sealer.seal(generation, shelf, block, newcomers)
    except (NotFound, Tampered):
        mended = mend_block(sealer, keyholder.templates, generation, shelf, block)
        have_read_anew(sealer.unit, generation)
        return sealer.seal(generation, shelf, mended, newcomers) if newcomers else mended


def begin_generation(unit: Unit, keyholder: KeyHolder, length: int, state: State) -> Generation:
    """A new, empty gallery under a fresh rotation, by the chosen scheme."""
    keyholder.schemes[keyholder.schemes.chosen].require()
    rotation_id, rotation = fresh_rotation(unit, keyholder.vault)
    generation = Generation(
        id=new_id("gallery"),
        state=state,
        length=length,
        rotation_id=rotation_id,
        rotation=rotation,
        token=secrets.token_bytes(8),
        made_at=unit.now,
        scheme=keyholder.schemes.chosen,
    )
    store.add_generation(unit.rows, unit.site_id, generation)
    return generation


def _fill(unit: Unit, keyholder: KeyHolder, generation: Generation, steps: Mapping[str, Steps]) -> None:
    """Put these into blocks with room, then into new ones."""
    waiting, sealer = iter(steps.items()), keyholder.sealer(unit)
    shelves = store.list_shelves(unit.rows, generation.id)
    blocks = store.list_blocks(unit.rows, generation.id)
    while True:
        block = block_with_room(blocks)
        if block is None:
            shelf, block = _new_block(unit, generation, shelves, blocks)
        else:
            shelf = next(one for one in shelves if one.id == block.shelf_id)
        free = free_slots(block)
        coming = list(islice(waiting, len(free)))
        if not coming:
            break
        CHANCE.shuffle(free)  # places in order would tell a thief of two generations that they are alike
        places = [Place(shelf.id, block.number, slot) for slot in free]
        seated = list(zip(coming, places, strict=False))
        newcomers = {place.slot: row for (_, row), place in seated}
        fresh = _seal_anew(sealer, keyholder, generation, shelf, block, newcomers=newcomers)
        store.add_places(
            unit.rows, unit.site_id, generation.id, [(subject_id, place) for (subject_id, _), place in seated]
        )
        blocks = [one for one in blocks if (one.shelf_id, one.number) != (fresh.shelf_id, fresh.number)]
        blocks.append(fresh)
    _changed(unit)


def _new_block(
    unit: Unit, generation: Generation, shelves: list[Shelf], blocks: Sequence[Block]
) -> tuple[Shelf, Block]:
    taken = sum(block.shelf_id == shelves[-1].id for block in blocks) if shelves else 0
    if not shelves or is_full(taken):
        shelves.append(
            Shelf(
                id=new_id("shelf"),
                generation_id=generation.id,
                number=len(shelves),
                mask_seed=fresh_seed(),
            )
        )
        store.add_shelf(unit.rows, unit.site_id, shelves[-1])
        taken = 0
    return shelves[-1], empty_block(shelves[-1], taken)


def _changed(unit: Unit) -> None:
    """Tell every process that this site's gallery is not what it was."""
    for generation in store.list_alive(unit.rows, unit.site_id):
        store.change_generation(unit.rows, generation.id, token=secrets.token_bytes(8))
