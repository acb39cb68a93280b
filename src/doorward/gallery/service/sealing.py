"""Puts blocks under the vault's keys: each sealing has a key of its own, which goes when it is replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from doorward.core.ids import new_id
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Shelf
from doorward.gallery.ports import Blocks
from doorward.gallery.rules import NOBODY, alive, bitmap_of
from doorward.matching.blocks import BlockSecret, Mask, seal, unseal
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.randomness import fresh_seed
from doorward.platform.db import Unit
from doorward.vault.model import Place as SealedPlace
from doorward.vault.service import Vault, drop_key, make_subject_key, open_key

Steps = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens blocks within one unit."""

    unit: Unit
    vault: Vault
    blocks: Blocks

    def open(self, shelf: Shelf, block: Block, length: int) -> Steps:
        """The steps (2048, d) of whoever is alive in a block; the others' rows are zeros."""
        if not block.digest:
            return np.zeros((BLOCK_SIZE, length), np.int32)
        secret = secret_of(self.unit, self.vault, block)
        steps = unseal(self.blocks.get(block.digest), secret, Mask(shelf.mask_seed, length))
        steps[~alive(block.living)] = 0
        return steps

    def seal(self, shelf: Shelf, block: Block, newcomers: Mapping[int, Steps], length: int) -> Block:
        """A block sealed anew, with newcomers in these slots; the former seed's key is destroyed.

        The new object is written before this unit commits, the former one is swept after: a crash between
        leaves an object that nobody names, and never a block without its object.
        """
        unit, steps, living = self.unit, self.open(shelf, block, length), alive(block.living).copy()
        for slot, row in newcomers.items():
            steps[slot], living[slot] = row, True
        cells, secret = seal(steps, Mask(shelf.mask_seed, length))
        seal_id = new_id("seal")
        key = make_subject_key(unit, self.vault, seal_id)
        fresh = replace(
            block,
            seal_id=seal_id,
            digest=self.blocks.put(cells),
            seed=key.seal(_seed_place(seal_id), secret.seed),
            living=bitmap_of(living),
            dirty=False,
        )
        if block.seal_id:
            drop_key(unit, block.seal_id)
        store.put_block(unit.rows, unit.site_id, fresh, sealed_at=unit.now)
        return fresh


def secret_of(unit: Unit, vault: Vault, block: Block) -> BlockSecret:
    """What opens a block; `NotFound` or `Tampered` if its key is gone or its seed was changed."""
    return BlockSecret(open_key(unit, vault, block.seal_id).unseal(_seed_place(block.seal_id), block.seed))


def empty_block(shelf: Shelf, number: int) -> Block:
    """A block that nobody is in and that was never sealed."""
    return Block(
        shelf_id=shelf.id, number=number, seal_id="", digest="", seed=b"", living=NOBODY, dirty=False
    )


def fresh_rotation(unit: Unit, vault: Vault) -> tuple[str, bytes]:
    """The name of a new rotation, and its seed sealed."""
    name = new_id("rotation")
    return name, make_subject_key(unit, vault, name).seal(_rotation_place(name), fresh_seed())


def unsealed_rotation(unit: Unit, vault: Vault, generation: Generation) -> bytes:
    """The seed of a generation's rotation."""
    name = generation.rotation_id
    return open_key(unit, vault, name).unseal(_rotation_place(name), generation.rotation)


def _seed_place(seal_id: str) -> SealedPlace:
    return SealedPlace("gallery_blocks", "seed", seal_id)


def _rotation_place(rotation_id: str) -> SealedPlace:
    return SealedPlace("gallery_generations", "rotation", rotation_id)
