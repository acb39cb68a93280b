"""Whether time tells a hit from a miss: the key holder's work alone, without a gate, without a network.

Prints the means, Welch's t of the trimmed times and the Kolmogorov-Smirnov distance of all, each beside the
bound that a difference by chance stays below in 999 of 1000 runs. A busy machine hides small differences:
the smallest that would have been seen is printed too. Run it on an idle machine:
python -m benchmarks.attack_timing [SEARCHES]
"""

import os
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from doorward.matching.blocks import Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.parameters import BLOCK_SIZE
from doorward.matching.queries import Asker, QueryKey
from doorward.matching.randomness import fresh_seed
from doorward.matching.rotation import asked, stored

LENGTH, BLOCKS, CUT = 128, 4, 0.45
SEARCHES = 1000
TRIMMED = 0.1  # of the slowest: the machine did something else
ONE_IN_1000 = (3.29, 1.95)  # normal quantile; Kolmogorov's at 0.001
Times = NDArray[np.float64]


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def _searcher() -> tuple[NDArray[np.float32], Callable[[NDArray[np.float32]], float]]:
    """People, and what one search takes: seconds from the answer's arrival to the decision."""
    people = _unit(np.random.default_rng(1).standard_normal((BLOCKS * BLOCK_SIZE, LENGTH)))
    site, mask = fresh_seed(), Mask.fresh(LENGTH)
    keys, blocks = ShelfKeys(mask), []
    for place in range(BLOCKS):
        rows = people[place * BLOCK_SIZE : (place + 1) * BLOCK_SIZE]
        block, secret = seal(stored(rows, site), mask)
        keys.put(place, secret, block, None)
        keys.set_living(place, np.ones(BLOCK_SIZE, np.bool_))
        blocks.append(block)
    shelf, asker = Shelf(blocks), Asker(LENGTH)

    def took(face: NDArray[np.float32]) -> float:
        asker.prepare()
        key: QueryKey = asker.ask(asked(face, site))
        answer = shelf.answer(key.query)
        began = time.perf_counter()
        keys.check(key, answer)
        found = keys.nearest(key, answer)
        _ = found is not None and found.score >= CUT
        return time.perf_counter() - began

    return people, took


def measured(searches: int) -> tuple[Times, Times]:
    """Times of hits and of misses, taken in turns in an order drawn by chance."""
    people, took = _searcher()
    chance = np.random.default_rng(2)
    strangers = _unit(chance.standard_normal((searches, LENGTH)))
    mates = people[chance.integers(0, len(people), searches)]
    for face in (*mates[:20], *strangers[:20]):
        took(face)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(searches):
        for is_miss in (0, 1) if chance.random() < 0.5 else (1, 0):
            times[is_miss].append(took((mates, strangers)[is_miss][number]))
    return np.array(times[0]), np.array(times[1])


def welch(one: Times, other: Times) -> tuple[float, float]:
    """t without the slowest of both, and the standard error of the difference."""
    kept = [np.sort(times)[: int(len(times) * (1 - TRIMMED))] for times in (one, other)]
    error = float(np.sqrt(sum(times.var(ddof=1) / len(times) for times in kept)))
    return float((kept[0].mean() - kept[1].mean()) / error), error


def kolmogorov_smirnov(one: Times, other: Times) -> float:
    """The distance of both distributions, times what makes it comparable for any number of searches."""
    both = np.sort(np.concatenate([one, other]))
    shares = [np.searchsorted(np.sort(times), both, side="right") / len(times) for times in (one, other)]
    return float(
        np.abs(shares[0] - shares[1]).max() * np.sqrt(len(one) * len(other) / (len(one) + len(other)))
    )


def main() -> None:
    """Measure and print."""
    searches = int(sys.argv[1]) if len(sys.argv) > 1 else SEARCHES
    load = os.getloadavg()[0]
    hits, misses = measured(searches)
    t, error = welch(hits, misses)
    distance = kolmogorov_smirnov(hits, misses)
    print(f"{searches} hits and as many misses among {BLOCKS * BLOCK_SIZE:,} people; load {load:.1f} before")
    print(f"median {np.median(hits) * 1e6:.1f} and {np.median(misses) * 1e6:.1f} microseconds")
    for said, found, bound in (("Welch's t", abs(t), ONE_IN_1000[0]), ("KS", distance, ONE_IN_1000[1])):
        print(f"{said} {found:.2f}, by chance below {bound}: {'nothing seen' if found < bound else 'SEEN'}")
    print(f"a difference of {ONE_IN_1000[0] * error * 1e6:.2f} microseconds in the mean would have been seen")


if __name__ == "__main__":
    main()
