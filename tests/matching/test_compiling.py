"""What was compiled at install is found at start, also by who cannot write, and not after a change."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import doorward
from doorward.matching import preparing
from doorward.matching.compiling import LOOPS
from doorward.matching.keeping import SOURCES

SEARCH = """
import json, os, sys, tempfile
import numpy as np
from doorward.matching import preparing
from doorward.matching.compiling import LOOPS
from doorward.matching.blocks import Mask, seal, unseal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.queries import Asker

def refuse(**_):
    raise PermissionError("read-only")

if "read-only" in sys.argv:
    tempfile.TemporaryFile = refuse  # so numba finds out whether it may write
if "prepare" in sys.argv:
    preparing.prepare()
elif "one" in sys.argv:
    next(loop for loop in LOOPS if loop._function.__name__ == "row_products").load()
else:
    mask = Mask.fresh(4)
    block, secret = seal(np.ones((2, 4), np.int32), mask)
    block.flags.writeable = False  # as a file that is mapped
    unseal(block, secret, mask)
    keys = ShelfKeys(mask)
    keys.put(0, secret, block, None)
    keys.put(0, secret, block, block)
    keys.let_live(0, 0)
    key = Asker(4).ask(np.ones(4, np.int32))
    answer = Shelf([block]).answer(key.query)
    keys.check(key, answer)
    keys.nearest(key, answer)
stats = [loop._compiled.stats for loop in LOOPS if loop._compiled is not None]
print(json.dumps({
    "used": len(stats),
    "all": len(LOOPS),
    "hits": sum(sum(one.cache_hits.values()) for one in stats),
    "misses": sum(sum(one.cache_misses.values()) for one in stats),
}))
"""


def run(source: Path, *words: str, **environment: str) -> dict[str, int]:
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    told = subprocess.run(
        [sys.executable, "-B", "-c", SEARCH, *words],
        env={**kept, "PYTHONPATH": str(source), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    counts: dict[str, int] = json.loads(told.stdout)
    return counts


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The room, copied without its compiled code."""
    there = tmp_path / "source"
    package = Path(doorward.__file__).parent
    for room in ("core", "matching"):
        shutil.copytree(
            package / room, there / "doorward" / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(package / "__init__.py", there / "doorward")
    return there


@pytest.mark.timeout(400)
def test_a_fresh_process_compiles_nothing_after_prepare(source: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    made = run(source, "prepare", NUMBA_CACHE_DIR=folder)
    assert made == {"used": made["all"], "all": made["all"], "hits": 0, "misses": made["all"]}
    search = run(source, NUMBA_CACHE_DIR=folder)
    assert search["misses"] == 0 and search["hits"] == search["used"] == search["all"]

    # Beside the source, for an account that may not write there.
    beside = source / "doorward" / "matching" / "__pycache__"
    beside.mkdir()
    for file in Path(folder).rglob("*.nb?"):
        shutil.copy(file, beside)
    search = run(source, "read-only")
    assert search["misses"] == 0 and search["hits"] == search["all"]

    # A constant of one file is part of the code of others: a change of any is the end of all that was kept.
    parameters = source / "doorward" / "matching" / "parameters.py"
    parameters.write_text(parameters.read_text() + "\n# changed\n")
    for words in (["one"], ["one", "read-only"]):
        changed = run(source, *words)
        assert (changed["hits"], changed["misses"]) == (0, 1)
        for file in beside.glob("opening.row_products*.nbc"):
            file.unlink()


def test_without_a_folder_to_write_to_a_process_still_works(source: Path) -> None:
    counts = run(source, "one", "read-only")
    assert counts["used"] == 1 and counts["hits"] == 0


def test_preparing_again_finds_all_ready() -> None:
    preparing.prepare()
    again = preparing.prepare()
    assert (again.found, again.made) == (len(LOOPS), 0)


def test_what_a_loop_is_made_of_is_part_of_its_stamp() -> None:
    """Every file with a loop in it, and every file of the room that such a file takes a name from."""
    room = "doorward.matching."
    files = {loop._function.__module__.removeprefix(room) for loop in LOOPS}
    graph = grimp.build_graph("doorward")
    taken = {
        used.removeprefix(room)
        for file in files
        for used in graph.find_modules_directly_imported_by(room + file)
        if used.startswith(room)
    }
    assert files | taken - {"sharing"} == set(SOURCES)  # that one spreads loops, and is in none


def test_the_code_can_be_shown_to_a_reviewer() -> None:
    (sums,) = [loop for loop in LOOPS if loop._function.__name__ == "row_products"]
    assert "imul" in sums.assembly() or "vpmul" in sums.assembly()
    assert "idiv" not in sums.assembly()
