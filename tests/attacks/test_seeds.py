"""No seed seals twice and no query secret asks twice, whatever a caller, a crash or a fork does."""

import inspect
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from sqlalchemy import text

from doorward.core.errors import Conflict, DoorwardError
from doorward.gallery import service, store
from doorward.gallery.model import State
from doorward.gallery.service.sealing import Sealer, secret_of
from doorward.matching import blocks, queries
from doorward.matching.queries import Asker
from doorward.vault.service import make_subject_key
from tests.conftest import SITE
from tests.gallery.site import Site, direction, name


def seeds_now(site: Site) -> set[bytes]:
    """The opened seeds of all blocks there are."""
    with site.unit() as unit:
        found = set()
        for state in (State.CURRENT, State.FILLING):
            generation = store.find_generation(unit.rows, SITE, state)
            shelves = store.list_shelves(unit.rows, generation.id) if generation else []
            by_id = {shelf.id: shelf for shelf in shelves}
            kept = store.list_blocks(unit.rows, generation.id) if generation else []
            found |= {secret_of(unit, site.vault, by_id[block.shelf_id], block) for block in kept}
        return found


def test_nothing_public_takes_a_secret_to_seal_or_ask_with() -> None:
    given = {"secret", "seed", "key", "noise_seed", "former"}
    for made in (blocks.seal, blocks.Mask.fresh, queries.Asker, queries.Asker.ask, queries.Asker.prepare):
        assert not given & set(inspect.signature(made).parameters)
    assert not {"secret", "seed", "cells"} & set(inspect.signature(Sealer.seal).parameters)
    public = [name for name, what in vars(blocks).items() if callable(what) and not name.startswith("_")]
    sealing = [name for name in public if name.startswith("seal")]
    assert sealing == ["seal"]


def test_every_sealing_of_a_life_has_a_seed_a_key_and_an_object_of_its_own(site: Site) -> None:
    seeds: list[bytes] = []
    keys, objects = set(), set()
    deeds: list[Callable[[], None]] = [partial(site.enrol, 1, 2, 3)]
    deeds += [partial(site.enrol, seed) for seed in range(4, 10)]
    deeds += [
        partial(site.enrol, 4),
        partial(site.forget, 5),
        partial(site.enrol, 5),
        partial(site.forget, 5, 6),
    ]
    for deed in deeds:
        deed()
        (block,) = site.blocks_now()
        seeds += seeds_now(site)
        keys.add(block.seal_id)
        objects.add(block.digest)
    assert len(set(seeds)) == len(keys) == len(objects) == len(deeds)
    with site.unit() as unit:
        service.begin_rekey(unit, site.keyholder)
    with site.unit() as unit:
        service.go_on(unit, site.keyholder)
    assert not seeds_now(site) & set(seeds[:-1])
    assert len(seeds_now(site)) == 2


def test_what_was_rolled_back_is_sealed_under_another_seed_when_it_is_tried_again(site: Site) -> None:
    site.enrol(1)
    drawn = set()
    for _ in range(3):
        with pytest.raises(RuntimeError), site.unit() as unit:
            service.enrol(unit, site.keyholder, {name(2): direction(2)})
            current = store.find_generation(unit.rows, SITE, State.CURRENT)
            assert current is not None
            (shelf,), (block,) = (
                store.list_shelves(unit.rows, current.id),
                store.list_blocks(unit.rows, current.id),
            )
            drawn.add(secret_of(unit, site.vault, shelf, block))
            raise RuntimeError
    assert len(drawn) == 3
    assert len([path for path in site.folder.rglob("*") if path.is_file()]) == 4  # they differ, all of them


def test_a_seals_name_is_taken_once(site: Site) -> None:
    site.enrol(1)
    (block,) = site.blocks_now()
    with pytest.raises(Conflict), site.unit() as unit:
        make_subject_key(unit, site.vault, block.seal_id)
    with pytest.raises(DoorwardError), site.unit() as unit:
        again = text(
            "INSERT INTO gallery_blocks SELECT shelf_id, 1, site_id, seal_id, digest, seed, living, "
            "dirty, sealed_at FROM gallery_blocks"
        )
        unit.rows.execute(again)


def test_many_who_ask_at_once_have_secrets_of_their_own(site: Site) -> None:
    asker = Asker(32, ahead=4)
    numbers = np.zeros(32, np.int32)

    def ask(turn: int) -> tuple[bytes, bytes]:
        if turn % 3 == 0:
            asker.prepare()
        key = asker.ask(numbers)
        return key.query.mask_seed, key.transformed.tobytes()

    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(ask, range(120)))
    assert len({seed for seed, _ in asked}) == len({secret for _, secret in asked}) == 120


def test_a_forked_process_has_none_of_its_parents_secrets() -> None:
    asker = Asker(32, ahead=2)
    asker.prepare()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            key = asker.ask(np.zeros(32, np.int32))
            os.write(writing, key.query.mask_seed)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 32)
    ours = {asker.ask(np.zeros(32, np.int32)).query.mask_seed for _ in range(4)}
    assert len(theirs) == 32
    assert theirs not in ours
