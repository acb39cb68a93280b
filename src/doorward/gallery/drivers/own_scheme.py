"""Our own scheme, in which the matcher sees nothing: the default."""

import numpy as np
from numpy.typing import NDArray

from doorward.matching import rotation as turning
from doorward.matching.blocks import BlockSecret, Cells, Mask, seal, unseal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.queries import Asker
from doorward.matching.sharing import cores


class OwnScheme:
    """Ring-LWE blocks and encrypted queries (docs/security/matching.md)."""

    def require(self) -> None:
        """It is always there."""

    def stored(self, templates: NDArray[np.float32], rotation: bytes) -> NDArray[np.int32]:
        return turning.stored(templates, rotation)

    def asked(self, template: NDArray[np.float32], rotation: bytes) -> NDArray[np.int32]:
        return turning.asked(template, rotation)

    def seal(self, steps: NDArray[np.int32], mask_seed: bytes) -> tuple[Cells, bytes]:
        cells, secret = seal(steps, Mask(mask_seed, steps.shape[1]))
        return cells, secret.seed

    def unseal(self, cells: Cells, secret: bytes, mask_seed: bytes, length: int) -> NDArray[np.int32]:
        return unseal(cells, BlockSecret(secret), Mask(mask_seed, length))

    def secret(self, raw: bytes) -> BlockSecret:
        return BlockSecret(raw)

    def asker(self, length: int) -> Asker:
        return Asker(length, threads=cores())

    def keys(self, mask_seed: bytes, length: int) -> ShelfKeys:
        return ShelfKeys(Mask(mask_seed, length))
