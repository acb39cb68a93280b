"""The encrypted search spread over 1, 2 and 4 workers, beside it in one process; then 100 million, counted.

Made-up faces; needs Ray. Run: python -m benchmarks.matching_shards [people]
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from benchmarks._figures import Figure, tell
from doorward.core.errors import DoorwardError
from doorward.matching import messages
from doorward.matching.block_files import FolderBlocks
from doorward.matching.blocks import BlockSecret, Mask, seal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Answer
from doorward.matching.messages import Search, WantedShelf
from doorward.matching.parameters import BLOCK_SIZE, BLOCKS_PER_MASK, RING_DEGREE
from doorward.matching.queries import Asker, QueryKey
from doorward.matching.rotation import asked, stored
from doorward.matching.sharing import cores
from doorward.matching.shelving import Shelving
from doorward_matcher.cluster_files import environment_of, make_cluster_files
from doorward_matcher.ray_shards import Plan, RayShards
from doorward_matcher.workers import own_addresses

LENGTH, ROUNDS = 128, 25
WORKERS = (1, 2, 4)
GROUPS = ("0" * 16, "1" * 16)  # two access groups, a decider each; the first has everybody, the second half
ROTATION = bytes(range(32))
MANY, A_DECIDER = 100_000_000, 5_000_000


@dataclass(frozen=True)
class Town:
    """Shelves in a folder, and what decrypts the first."""

    blocks: FolderBlocks
    shelves: Sequence[WantedShelf]
    keys: ShelfKeys


@dataclass(frozen=True)
class Costs:
    """Medians for one full shelf, of processor time alone."""

    multiply_ms: float
    decide_ms: float


def main(people: int) -> int:
    """Print every figure."""
    print(f"{cores()} cores, load {os.getloadavg()[0]:.1f}; {ROUNDS} turns each; 128 numbers a face")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        town = _town(root / "blocks", people)
        (root / "blocks" / GROUPS[1]).symlink_to(root / "blocks" / GROUPS[0])
        costs = _costs(town)
        make_cluster_files(root / "cluster", own_addresses(), datetime.now(UTC))
        for workers in WORKERS:
            plan = Plan(
                workers=workers,
                threads=1,
                at_once=2,
                environment=environment_of(root / "cluster"),
                own=root / "own",
                seconds=60,
            )
            begun = time.perf_counter()
            try:
                shards = RayShards(plan, root / "blocks")
            except DoorwardError as error:
                print(f"Workers were not measured: {error}")
                return 0
            print(f"\n{workers} workers of one thread, started in {time.perf_counter() - begun:.1f} s")
            try:
                _measure(town, shards, workers)
            finally:
                shards.close()
    _project(costs)
    return 0


def _measure(town: Town, shards: RayShards, workers: int) -> None:
    shelves, local = town.shelves, Shelving(town.blocks.get)
    _, answers, _ = _sharded(town, shards, shelves)  # maps every block
    for count in sorted({max(1, len(shelves) // 4), max(1, len(shelves) // 2), len(shelves)}):
        some = shelves[:count]
        faces = sum(len(one.digests) for one in some) * BLOCK_SIZE
        spread, alone, pair = [], [], []
        for _ in range(ROUNDS):  # in turn, so that a busy moment hits all alike
            key, answers, ms = _sharded(town, shards, some)
            spread.append(ms)
            alone.append(_timed(lambda: _local(local, key, some, 1))[1])  # noqa: B023
            truth, ms = _timed(lambda: _local(local, key, some, min(2, cores())))  # noqa: B023
            pair.append(ms)
            assert _same(answers, truth)
        what = f"{faces:,} faces, {workers} workers"
        told = f"best {min(spread):.1f} median {statistics.median(spread):.1f} ms"
        for name, others in ((f"{min(2, cores())} threads in one process", pair), ("one thread", alone)):
            ratio = min(spread) / min(others), statistics.median(spread) / statistics.median(others)
            told += f"; {ratio[0]:.2f} x {name} ({min(others):.1f}; medians {ratio[1]:.2f} x)"
        tell(Figure(what, told))
    _two_groups(town, shards)
    memory = [_own_bytes(one) for one in psutil.Process().children(recursive=True) if _is_worker(one)]
    rest = [_own_bytes(one) for one in psutil.Process().children(recursive=True) if not _is_worker(one)]
    print(
        f"memory of their own, without blocks: {[round(one / 2**20) for one in memory]} MiB; engine beside "
        f"them: {round(sum(rest) / 2**20)} MiB"
    )


def _two_groups(town: Town, shards: RayShards) -> None:
    """Both deciders ask at the same time, each its own shelves."""
    half = len(town.shelves) // 2 or 1
    parts = (town.shelves, town.shelves[:half])
    took: list[float] = []

    def ask(group: str, shelves: Sequence[WantedShelf]) -> None:
        for _ in range(ROUNDS):
            took.append(_sharded(town, shards, shelves, group)[2])

    ask(GROUPS[1], parts[1])  # maps
    took.clear()
    threads = [
        threading.Thread(target=ask, args=each) for each in zip(GROUPS, parts[1:] + parts[1:], strict=True)
    ]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    each = 1e3 * (time.perf_counter() - begun) / (2 * ROUNDS)
    print(
        f"two deciders at once, {half} shelves each: a search median {statistics.median(took):.1f} ms, "
        f"one done every {each:.1f} ms"
    )


def _sharded(
    town: Town, shards: RayShards, shelves: Sequence[WantedShelf], group: str = GROUPS[0]
) -> tuple[QueryKey, list[Answer], float]:
    key = _query()
    message = messages.encode_search(key.query, shelves)
    answers, ms = _timed(
        lambda: shards.search(group, message, Search(key.query, tuple(shelves)), town.blocks.get)
    )
    return key, answers, ms


def _local(local: Shelving, key: QueryKey, shelves: Sequence[WantedShelf], threads: int) -> list[Answer]:
    mapped = local.shelves([(one.id, one.digests) for one in shelves])
    return [shelf.answer(key.query, threads=threads) for shelf in mapped]


def _costs(town: Town) -> Costs:
    local, shelf = Shelving(town.blocks.get), town.shelves[0]
    multiply, decide = [], []
    for _ in range(ROUNDS):
        key = _query()
        _ = key.opened
        begun = time.thread_time()
        (answer,) = _local(local, key, [shelf], 1)
        multiply.append(time.thread_time() - begun)
        begun = time.thread_time()
        town.keys.check(key, answer)
        town.keys.nearest(key, answer)
        decide.append(time.thread_time() - begun)
    full = BLOCKS_PER_MASK / len(shelf.digests)
    return Costs(1e3 * full * statistics.median(multiply), 1e3 * full * statistics.median(decide))


def _project(costs: Costs) -> None:
    """What a hundred million take, by counting alone."""
    block = 4 * RING_DEGREE * LENGTH
    deciders, blocks = MANY // A_DECIDER, -(-A_DECIDER // BLOCK_SIZE)
    shelves = -(-blocks // BLOCKS_PER_MASK)
    answer, query = blocks * 8 * RING_DEGREE, block + 32 * blocks
    part = blocks / BLOCKS_PER_MASK
    multiply, decide = part * costs.multiply_ms, part * costs.decide_ms
    print(f"\n{MANY:,} faces in {deciders} groups of {A_DECIDER:,}, a decider each:")
    print(f"  a group: {shelves} shelves, {blocks:,} blocks, {blocks * block / 2**30:.1f} GiB on its workers")
    print(f"  all: {deciders * blocks:,} blocks, {deciders * blocks * block / 2**30:.0f} GiB")
    print(
        f"  processor time of a search of one group: workers {multiply:.0f} ms "
        f"({costs.multiply_ms:.2f} a shelf), decider {decide:.0f} ms ({costs.decide_ms:.2f} a shelf)"
    )
    for limit in (50, 100):
        print(
            f"  in {limit} ms each: {-(-multiply // limit):.0f} cores multiply, "
            f"{-(-decide // limit):.0f} decide"
        )
    print(
        f"  network: {query / 2**20:.2f} MiB to each machine, {answer / 2**20:.1f} MiB back in all: "
        f"{8e3 * answer / 1e10:.0f} ms at 10 Gbit/s, {8e3 * answer / 2.5e10:.0f} at 25"
    )
    print(f"  whoever asks every group: {deciders} times all of this, side by side")


def _town(folder: Path, people: int) -> Town:
    blocks = FolderBlocks(folder / GROUPS[0])
    shelves, keys = [], None
    left = -(-people // BLOCK_SIZE)
    with ThreadPoolExecutor(cores()) as pool:
        while left:
            mask, count = Mask.fresh(LENGTH), min(BLOCKS_PER_MASK, left)
            seeds = range(left, left - count, -1)
            sealed = list(pool.map(lambda seed: _sealed(blocks, seed, mask), seeds))  # noqa: B023
            if keys is None:
                keys = ShelfKeys(mask)
                for place, (digest, secret) in enumerate(sealed):
                    keys.put(place, secret, blocks.get(digest), None)
                    keys.set_living(place, np.ones(BLOCK_SIZE, np.bool_))
            shelves.append(WantedShelf(f"shelf_{len(shelves)}", tuple(digest for digest, _ in sealed)))
            left -= count
    assert keys is not None
    return Town(blocks, shelves, keys)


def _sealed(blocks: FolderBlocks, seed: int, mask: Mask) -> tuple[str, BlockSecret]:
    rows = np.random.default_rng(seed).standard_normal((BLOCK_SIZE, LENGTH), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    cells, secret = seal(stored(rows, ROTATION), mask)
    return blocks.put(cells), secret


def _query() -> QueryKey:
    face = np.random.default_rng().standard_normal(LENGTH).astype(np.float32)
    return Asker(LENGTH).ask(asked(face / np.linalg.norm(face), ROTATION))


def _timed(deed: Callable[[], list[Answer]]) -> tuple[list[Answer], float]:
    begun = time.perf_counter()
    done = deed()
    return done, 1e3 * (time.perf_counter() - begun)


def _same(left: Sequence[Answer], right: Sequence[Answer]) -> bool:
    pairs = zip(left, right, strict=True)
    return all(np.array_equal(a.face, b.face) and np.array_equal(a.mask, b.mask) for a, b in pairs)


def _is_worker(process: psutil.Process) -> bool:
    return process.name() == "ray::RayWorker"


def _own_bytes(process: psutil.Process) -> int:
    return int(process.memory_full_info().uss)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
