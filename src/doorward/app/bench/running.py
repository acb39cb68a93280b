"""Runs the measuring process: libraries read how many threads they may use before they are loaded."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doorward.core.errors import Invalid, Unavailable
from doorward.matching.parameters import LONGEST_TEMPLATE
from doorward.matching.sharing import cores

LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMBA", "BLIS")
COPIES = 3.2  # blocks, NumPy's matrix, FAISS's copy of it, and what lies around them
STEPS = (1, 2, 5)


def sizes_upto(people: int) -> list[int]:
    """1,000, 2,000, 5,000, 10,000 and so on, and the last."""
    decades = [step * 10**power for power in range(3, 10) for step in STEPS]
    return [size for size in decades if size < people] + [people]


def run(
    people: int, length: int, *, threads: int, rounds: int, sizes: Sequence[int], peers: Sequence[Path] = ()
) -> dict[str, Any]:
    """What a process of its own measured; `Invalid` for what cannot be measured here."""
    if people < 1 or not 1 <= length <= LONGEST_TEMPLATE or rounds < 1:
        raise Invalid(f"At least one person and one round, and templates of 1 to {LONGEST_TEMPLATE} numbers.")
    if not sizes or not 1 <= min(sizes) <= max(sizes) <= people:
        raise Invalid("What is searched is part of what was sealed.")
    if not 1 <= threads <= cores():
        raise Invalid(f"This machine lends from 1 to {cores()} threads.")
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if COPIES * 4 * people * length > _available(free):
        raise Invalid("So many people do not fit this machine's memory beside their copies in the clear.")
    wanted = {
        "people": people,
        "length": length,
        "threads": threads,
        "rounds": rounds,
        "sizes": list(sizes),
        "peers": [str(folder) for folder in peers],
    }
    limits = {f"{name}_NUM_THREADS": str(threads) for name in LIBRARIES}
    done = subprocess.run(  # noqa: S603  our own module
        [sys.executable, "-m", "doorward.app.bench", json.dumps(wanted)],
        env={**os.environ, **limits},  # noqa: TID251  handed on as it is; not a setting of ours
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise Unavailable(f"The measurement ended in the middle: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _available(free: int) -> int:
    """Free memory, and what the kernel would give up for us."""
    told = Path("/proc/meminfo")
    if not told.exists():
        return free
    lines = told.read_text(encoding="utf8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), free)
