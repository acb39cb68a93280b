"""Puts blocks under the vault's keys: each sealing has a key of its own, which goes when it is replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from doorward.core.errors import Tampered
from doorward.core.ids import new_id
from doorward.gallery import store
from doorward.gallery.model import Block, Generation, Shelf
from doorward.gallery.ports import Blocks, Schemes, Steps
from doorward.gallery.rules import NOBODY, alive, bitmap_of
from doorward.matching.block_files import digest_of
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.randomness import fresh_seed
from doorward.platform.db import Unit
from doorward.vault.model import Place as SealedPlace
from doorward.vault.service import Vault, drop_key, make_subject_key, open_key


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens blocks within one unit."""

    unit: Unit
    vault: Vault
    blocks: Blocks
    schemes: Schemes

    def open(self, generation: Generation, shelf: Shelf, block: Block) -> Steps:
        """The steps (2048, d) of whoever is alive in a block; the others' rows are zeros.

        `Tampered` too for a block that was changed in place while it was mapped, in a way that still opens.
        """
        if not block.digest:
            return np.zeros((BLOCK_SIZE, generation.length), np.int32)
        secret, cells = secret_of(self.unit, self.vault, shelf, block), self.blocks.get(block.digest)
        if digest_of(cells) != block.digest:
            raise Tampered("A block of encrypted templates was changed.")
        scheme = self.schemes[generation.scheme]
        steps = scheme.unseal(cells, secret, shelf.mask_seed, generation.length)
        steps[~alive(block.living)] = 0
        return steps

    def seal(
        self, generation: Generation, shelf: Shelf, block: Block, newcomers: Mapping[int, Steps]
    ) -> Block:
        """A block sealed anew, with newcomers in these slots; the former seed's key is destroyed.

        The new object is written before this unit commits, the former one is swept after: a crash between
        leaves an object that nobody names, and never a block without its object.
        """
        unit, steps, living = self.unit, self.open(generation, shelf, block), alive(block.living).copy()
        for slot, row in newcomers.items():
            steps[slot], living[slot] = row, True
        cells, secret = self.schemes[generation.scheme].seal(steps, shelf.mask_seed)
        seal_id = new_id("seal")
        key = make_subject_key(unit, self.vault, seal_id)
        named = replace(
            block, seal_id=seal_id, digest=self.blocks.put(cells), living=bitmap_of(living), dirty=False
        )
        fresh = replace(named, seed=key.seal(_seed_place(shelf, named), secret))
        if block.seal_id:
            drop_key(unit, block.seal_id)
        store.put_block(unit.rows, unit.site_id, fresh, sealed_at=unit.now)
        return fresh


def secret_of(unit: Unit, vault: Vault, shelf: Shelf, block: Block) -> bytes:
    """What opens a block; `NotFound` or `Tampered` if its key is gone, or a row was changed."""
    return open_key(unit, vault, block.seal_id).unseal(_seed_place(shelf, block), block.seed)


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


def _seed_place(shelf: Shelf, block: Block) -> SealedPlace:
    """The seed is for this object under this mask at this place, and opens with no other.

    Under another secret or mask a block decrypts to noise, and the best of 2048 noises fits any stranger.
    """
    row = (shelf.id, str(block.number), block.seal_id, block.digest, shelf.mask_seed.hex())
    return SealedPlace("gallery_blocks", "seed", "/".join(row))


def _rotation_place(rotation_id: str) -> SealedPlace:
    return SealedPlace("gallery_generations", "rotation", rotation_id)
