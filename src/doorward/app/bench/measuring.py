"""Takes turns: one contender after the other, round by round, so that a busy moment meets all alike."""

import os
import platform
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from doorward.app.bench.contenders import (
    CUT,
    FAISS,
    NUMPY,
    OURS,
    PREPARED,
    STEPS,
    USEARCH,
    Contender,
    Ours,
    in_the_clear,
    version,
)
from doorward.app.bench.town import SITE, Spent, Templates, Town, build, seen_again, templates_of
from doorward.core.errors import Tampered
from doorward.matching import preparing
from doorward.matching.parameters import BLOCK_SIZE, BLOCKS_PER_MASK
from doorward.matching.queries import Asker
from doorward.matching.rotation import asked

COSINE = 0.65  # between two photos of one person
DOUBT = 6 * 2**0.5 * 0.0056  # between two cosines of ours: six sigmas
REST = 0.15  # seconds after which nobody of the one before still waits: OpenBLAS's threads spin for 0.10
SAMPLES = 400

Facts = dict[str, Any]


def measure(people: int, length: int, threads: int, rounds: int, sizes: Sequence[int]) -> Facts:
    """Everything there is to say of towns of these sizes, the largest being `people`."""
    preparing.prepare()
    before = _memory("VmRSS")
    town = build(people, length, threads)
    chance = np.random.default_rng(1)
    error = _error(town, chance)
    _forget_peak()
    for _ in range(3):
        Ours(town, threads, prepared=False).find(templates_of(0, 1, length)[0])
    memory = {"before": before, "blocks": town.block_bytes, "peak": _memory("VmHWM")}
    rows = templates_of(0, people, length)
    towns = [_one(town.first(size), rows[:size], threads, rounds, chance) for size in sizes]
    return {
        "people": people,
        "length": length,
        "threads": threads,
        "rounds": rounds,
        "machine": _machine(),
        "versions": {name: version(name) for name in (NUMPY, FAISS, USEARCH, "numba")},
        "bytes_a_template": town.block_bytes / people,
        "memory": memory,
        "enrolled_a_second": {"wall": people / town.spent.wall, "cpu": people / town.spent.cpu},
        "cosine_error": error,
        "towns": towns,
    }


def _one(town: Town, rows: Templates, threads: int, rounds: int, chance: np.random.Generator) -> Facts:
    encrypted = [Ours(town, threads, prepared) for prepared in (False, True)]
    contenders: list[Contender] = [*encrypted, *in_the_clear(rows, threads)]
    took: dict[str, list[Spent]] = defaultdict(list)
    for number in range(rounds):
        who = int(chance.integers(town.people))
        face = seen_again(rows[who], COSINE, chance)
        cosines = rows @ face
        for place in range(len(contenders)):
            one = contenders[(place + number) % len(contenders)]
            took[one.name].append(_turn(one, face, cosines))
        for step in STEPS:
            took[step].append(encrypted[0].spent[step])
        took["encrypt, prepared"].append(encrypted[1].spent["encrypt"])
    return {"people": town.people, "ms": {name: _summary(spent) for name, spent in took.items()}}


def _turn(one: Contender, face: Templates, cosines: Templates) -> Spent:
    """The second of two: the first brings its numbers, as far as they fit, to the processor's cache."""
    time.sleep(REST)
    one.ready()
    one.find(face)
    one.ready()
    began = Spent.now()
    found = one.find(face)
    spent = began.until(Spent.now())
    slack = DOUBT if one.name in {OURS, PREPARED} else 1e-5
    best = float(cosines.max())
    right = cosines[found] >= best - slack if found >= 0 else best < CUT + DOUBT
    if not right:
        raise Tampered(f"{one.name} found another person than the nearest.")
    return spent


def _summary(spent: Sequence[Spent]) -> Facts:
    wall, cpu = [1e3 * each.wall for each in spent], [1e3 * each.cpu for each in spent]
    return {
        "best": min(wall),
        "median": statistics.median(wall),
        "cpu_best": min(cpu),
        "cpu_median": statistics.median(cpu),
    }


def _error(town: Town, chance: np.random.Generator) -> Facts:
    """How far our cosines are from the true ones: one sigma, and the most of a few hundred."""
    shelf, off = town.shelves[0], []
    people = min(town.people, BLOCK_SIZE * BLOCKS_PER_MASK)
    rows = templates_of(0, people, town.length)
    for _ in range(4):
        face = seen_again(rows[int(chance.integers(people))], COSINE, chance)
        key = Asker(town.length).ask(asked(face, SITE))
        answer = shelf.shelf.answer(key.query)
        for number in map(int, chance.integers(0, people, SAMPLES // 4)):
            score = shelf.keys.score_of(key, answer, *divmod(number, BLOCK_SIZE))
            if score is None:
                raise Tampered("Somebody of the town is not in its blocks.")
            off.append(score - float(rows[number] @ face))
    return {"sigma": float(np.std(off)), "most": float(np.abs(off).max()), "of": len(off)}


def _machine() -> Facts:
    told = Path("/proc/cpuinfo").read_text(encoding="utf8").splitlines()
    names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def _memory(what: str) -> int:
    """Bytes of this process, as the kernel counts them."""
    told = Path("/proc/self/status").read_text(encoding="utf8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in told if line.startswith(what))


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
