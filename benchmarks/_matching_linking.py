"""How linkable two galleries of the same people are, on real photos."""

import numpy as np

from benchmarks._face_photos import Photos
from benchmarks._figures import Figure, tell
from benchmarks._unlinkability import ATTACKS, Galleries, measure

PAIRS_OF_KEYS = 15
BY_CHANCE = 5.0  # standard deviations


def report_linking(photos: Photos) -> None:
    """D_sys of each attack: ciphertexts, weakened ciphertexts, and what a thief of all keys reads."""
    twice = [rows[:2] for rows in photos.of_each.values() if len(rows) >= 2]
    if len(twice) < 50:
        print("Unlinkability: too few people have two photos.")
        return
    first, second = (photos.templates[[rows[place] for rows in twice]] for place in (0, 1))
    pair = Galleries(first, second)
    print(f"Unlinkability (D_sys, 0 to 1), two photos of each of {len(twice)} people:")
    for as_stored, told in ((True, "as stored"), (False, "transform undone")):
        for name, attack in ATTACKS.items():
            found = measure(attack, pair.stored_pairs(as_stored=as_stored), pair.random_cells)
            met = found.sigmas < BY_CHANCE
            tell(Figure(f"D_sys of blocks {told}, {name}", str(found), "chance", met))
    for name, attack in ATTACKS.items():
        weak = measure(attack, pair.stored_pairs(as_stored=False, reuse_seed=True), pair.random_cells)
        print(f"  one secret for both (weakened), {name:24} {weak}")
    for rotate, told in ((True, "two rotations"), (False, "no rotation (weakened)")):
        for name, attack in ATTACKS.items():
            several = [
                measure(attack, pair.opened_pairs(rotate=rotate), pair.random_steps)
                for _ in range(PAIRS_OF_KEYS)
            ]
            values, chance = [each.d_sys for each in several], several[0].chance
            median = f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f}; chance {chance:.3f})"
            print(f"  opened with all keys, {told}, {name:24} {median}")
