"""A site's secret rotation of template space: turns all faces together, so that cosines stay as they are.

Two galleries under two rotations cannot be compared coordinate by coordinate, even by somebody who opened
both. It also spreads a template's strength over all coordinates before they are rounded. It is no encryption
by itself: as many known pairs as there are coordinates give it away.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from doorward.core.errors import Invalid
from doorward.matching.parameters import COORDINATE_SCALE, LONGEST_TEMPLATE, QUERY_SCALE
from doorward.matching.randomness import Label, stream

UNIT = 2.0**-53
OFF_LENGTH = 0.01


@lru_cache(maxsize=4)
def rotation(seed: bytes, length: int) -> NDArray[np.float32]:
    """An orthogonal matrix (length, length), uniform over all rotations and reflections (Haar).

    QR of a Gaussian matrix with the signs of R made positive: Mezzadri, "How to generate random matrices from
    the classical compact groups", Notices of the AMS 54 (2007).
    """
    half = (length * length + 1) // 2
    raw = stream(seed, 16 * half, Label.ROTATION).view("<u8") >> np.uint64(11)
    uniforms = ((raw.astype(np.float64) + 0.5) * UNIT).reshape(2, half)
    radius, angle = np.sqrt(-2 * np.log(uniforms[0])), 2 * np.pi * uniforms[1]
    normals = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[: length * length]
    q, r = np.linalg.qr(normals.reshape(length, length))
    return np.ascontiguousarray(q * np.sign(np.diag(r)), np.float32)


def turned(templates: NDArray[np.float32], seed: bytes) -> NDArray[np.float32]:
    """Templates (any, d), rotated; `Invalid` unless each is finite and of length one.

    A longer one would wrap around and match anybody.
    """
    if templates.ndim != 2 or not 1 <= templates.shape[1] <= LONGEST_TEMPLATE:
        raise Invalid(f"Templates are rows of 1 to {LONGEST_TEMPLATE} numbers.")
    lengths = np.linalg.norm(templates, axis=1)
    if not (np.abs(lengths - 1) <= OFF_LENGTH).all():
        raise Invalid("A template is a row of finite numbers of length one.")
    matrix = rotation(seed, templates.shape[1])
    # One alone not by BLAS: its threads would go on spinning on the processors that the search needs next.
    rotated: NDArray[np.float32] = (
        templates @ matrix if len(templates) > 1 else np.einsum("ij,jk->ik", templates, matrix)
    )
    return rotated


def stored(templates: NDArray[np.float32], seed: bytes) -> NDArray[np.int32]:
    """Templates (any, d) of length one as they are sealed: rotated, in whole steps of the grid."""
    steps: NDArray[np.int32] = np.rint(turned(templates, seed) * COORDINATE_SCALE).astype(np.int32)
    return steps


def asked(template: NDArray[np.float32], seed: bytes) -> NDArray[np.int32]:
    """One template (d,) as a query asks for it: rotated, in units of the query scale."""
    (row,) = turned(template.reshape(1, -1), seed)
    numbers: NDArray[np.int32] = np.rint(row * QUERY_SCALE).astype(np.int32)
    return numbers
