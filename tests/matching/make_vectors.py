"""Writes vectors.json: what another implementation must compute for given seeds.

    .venv/bin/python -m tests.matching.make_vectors

Hashes are SHA-256 over numbers in row-major order, little-endian: uint32 for words, int32 for cells.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doorward.matching import parameters
from doorward.matching.blocks import BlockSecret, Mask, _sealed_under, add_product, centred
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.queries import Query, QueryKey
from doorward.matching.randomness import Label, stream, ternary, uniform, with_noise
from doorward.matching.ring import forward, twiddles

FILE = Path(__file__).parent / "vectors.json"
LENGTH = 4
SEEDS = {
    name: bytes([place]) * 32 for place, name in enumerate(("mask", "secret", "noise", "query", "errors"))
}


def vectors() -> dict[str, Any]:
    """Everything from the seeds on, in the order in which an implementation needs it."""
    mask, secret = Mask(SEEDS["mask"], LENGTH), BlockSecret(SEEDS["secret"])
    steps = _steps()
    cells, _ = _sealed_under(secret, steps, mask, SEEDS["noise"])
    key = _query()
    answer = Shelf([cells]).answer(key.query)
    keys = ShelfKeys(mask)
    keys.put(0, secret, cells, None)
    keys.let_live(0, 0)
    keys.let_live(0, 1)
    ramp = np.arange(parameters.RING_DEGREE, dtype=np.uint32).reshape(-1, 1).copy()
    forward(ramp)
    found = keys.nearest(key, answer)
    assert found
    return {
        "format": parameters.FORMAT,
        "n": parameters.RING_DEGREE,
        "q": parameters.MODULUS,
        "grid": parameters.GRID,
        "length": LENGTH,
        "root": int(twiddles().forward[1024]),
        "root_note": "a 2n-th root of unity psi; row k of a transform is the value at psi^(2 rev(k) + 1)",
        "seeds": {name: seed.hex() for name, seed in SEEDS.items()},
        "labels": {label.name.lower(): int(label) for label in Label},
        "stream_of_mask_seed": stream(SEEDS["mask"], 32, Label.MASK).tobytes().hex(),
        "transform_of_0_1_2_to_2047": _shown(ramp),
        "mask_words": _shown(uniform(SEEDS["mask"], (parameters.RING_DEGREE, LENGTH))),
        "mask_cells": _shown(mask.cells),
        "secret": _shown(ternary(SEEDS["secret"])),
        "secret_transformed": _shown(secret.transformed),
        "secret_check": secret.check,
        "errors": _shown(
            centred(with_noise(np.zeros((parameters.RING_DEGREE, LENGTH), np.int32), SEEDS["noise"]))
        ),
        "steps": "two people, two coordinates each: [[70, 0, 0, 0], [0, -35, 61, 0]]; all others zero",
        "block": _shown(cells),
        "asked": "[0, -20000, 30000, 7]; secret and mask of the seed query, errors of the seed errors",
        "query": _shown(key.query.face),
        "answer_face": _shown(answer.face),
        "answer_mask": _shown(answer.mask),
        "nearest_slot": found.slot,
        "nearest_score_times_q_over_2_2": round(found.score * parameters.SCORE_SCALE),
        "noiseless_score": (-35 * -20000 + 61 * 30000) * parameters.GRID,
    }


def _steps() -> NDArray[np.int32]:
    return np.array([[70, 0, 0, 0], [0, -35, 61, 0]], np.int32)


def _query() -> QueryKey:
    """As `Asker` makes it, from given seeds."""
    secret, mask = BlockSecret(SEEDS["query"]), Mask(SEEDS["query"], LENGTH)
    message = np.zeros((parameters.RING_DEGREE, LENGTH), np.int32)
    message[0] = [0, -20_000, 30_000, 7]
    noisy = with_noise(message, SEEDS["errors"])
    forward(noisy)
    face = np.empty(noisy.shape, np.int32)
    add_product(noisy, mask.cells, secret.transformed, face)
    return QueryKey(Query(face, mask.seed), secret.transformed, centred(noisy))


def _shown(array: NDArray[Any]) -> dict[str, Any]:
    flat = np.ascontiguousarray(array).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"))
    return {"sha256": hashlib.sha256(little.tobytes()).hexdigest(), "first": [int(x) for x in flat[:4]]}


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
