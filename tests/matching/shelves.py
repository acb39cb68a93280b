"""A shelf of random people, its keys, and what it should answer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doorward.matching.blocks import BlockSecret, Cells, Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.queries import Asker, QueryKey
from doorward.matching.rotation import asked, stored

Templates = NDArray[np.float32]
SITE = bytes(range(32))


@dataclass
class Stocked:
    """Both sides of one shelf in one hand."""

    shelf: Shelf
    keys: ShelfKeys
    secrets: list[BlockSecret]
    templates: Templates

    @property
    def blocks(self) -> list[Cells]:
        return [self.shelf.block(place) for place in range(len(self.shelf))]


def people(count: int, length: int, seed: int) -> Templates:
    rows = np.random.default_rng(seed).standard_normal((count, length), dtype=np.float32)
    unit: Templates = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def near(template: Templates, cosine: float, seed: int) -> Templates:
    """Another photo of the same face, so near to this one."""
    (other,) = people(1, len(template), seed + 1_000_003)
    other -= (other @ template) * template
    found: Templates = cosine * template + (1 - cosine**2) ** 0.5 * other / np.linalg.norm(other)
    return found.astype(np.float32)


def stock(templates: Templates) -> Stocked:
    mask = Mask.fresh(templates.shape[1])
    keys, blocks, secrets = ShelfKeys(mask), [], []
    for place, low in enumerate(range(0, len(templates), BLOCK_SIZE)):
        part = templates[low : low + BLOCK_SIZE]
        block, secret = seal(stored(part, SITE), mask)
        keys.put(place, secret, block, None)
        for slot in range(len(part)):
            keys.let_live(place, slot)
        blocks.append(block)
        secrets.append(secret)
    return Stocked(Shelf(blocks), keys, secrets, templates)


def question(template: Templates) -> QueryKey:
    return Asker(len(template)).ask(asked(template, SITE))
