"""What was compiled at install is found at start, also by who cannot write, and not after a change."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy import uint32
from numpy.typing import NDArray

import doorward
from doorward.matching import keeping, preparing, translating
from doorward.matching.compiling import LOOPED, LOOPS, Loop, into
from doorward.matching.linking import Unlinkable, linked
from doorward.matching.opening import row_products

SEARCH = """
import json, sys
import numpy as np
from doorward.matching import preparing
from doorward.matching.blocks import Mask, seal, unseal
from doorward.matching.keyholder import ShelfKeys
from doorward.matching.matcher import Shelf
from doorward.matching.queries import Asker

made = preparing.prepare()
if "search" in sys.argv:
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
    assert keys.nearest(key, answer).slot == 0
print(json.dumps({"made": made, "compiler": "numba" in sys.modules}))
"""
FOUND = {"made": 0, "compiler": False}


def run(source: Path, home: Path, *words: str) -> dict[str, int]:
    told = subprocess.run(
        [sys.executable, "-B", "-c", SEARCH, *words],
        env={**os.environ, "PYTHONPATH": str(source), "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    counts: dict[str, int] = json.loads(told.stdout)
    return counts


def code_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.code"))


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
def test_a_search_after_prepare_needs_no_compiler(source: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = run(source, home)
    assert made == {"made": made["made"], "compiler": False} and made["made"] > 9
    (kept,) = code_in(tmp_path)
    assert kept.is_relative_to(source) and kept.stat().st_mode & 0o777 == 0o644
    assert run(source, home, "search") == FOUND

    # What a disk changed is not run, but made anew.
    whole = kept.read_bytes()
    for damaged in (whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1]), b"[" + whole[1:], whole[:9]):
        kept.write_bytes(damaged)
        assert run(source, home, "search") == made
        assert run(source, home) == FOUND

    # A constant of one file is part of the code of others: a change of any is the end of all that was kept.
    parameters = source / "doorward" / "matching" / "parameters.py"
    parameters.write_text(parameters.read_text() + "\n# changed\n")
    assert run(source, home)["made"] == made["made"] and run(source, home) == FOUND


@pytest.mark.timeout(400)
def test_where_nothing_can_be_kept_a_process_compiles_for_itself(source: Path, tmp_path: Path) -> None:
    (source / "doorward" / "matching" / "__pycache__").write_text("no folder can be here")
    home = tmp_path / "home"
    home.write_text("nor here")
    assert run(source, home, "search")["compiler"]
    assert not code_in(tmp_path)


@pytest.mark.timeout(400)
def test_where_the_program_lies_read_only_code_is_kept_for_the_user(source: Path, tmp_path: Path) -> None:
    (source / "doorward" / "matching" / "__pycache__").write_text("no folder can be here")
    home = tmp_path / "home"
    assert run(source, home)["made"]
    (kept,) = code_in(tmp_path)
    assert kept.is_relative_to(home)
    assert run(source, home, "search") == FOUND


def test_no_command_waits_for_the_compiler() -> None:
    asked = (
        "import sys; import doorward.app.cli; sys.exit('numba' in sys.modules or 'llvmlite' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


def test_no_file_with_loops_is_forgotten() -> None:
    assert {file.stem for file in keeping.sources() if "@compiled(" in file.read_text()} == set(LOOPED)


def test_preparing_again_finds_all_ready() -> None:
    preparing.prepare()
    assert preparing.prepare() == 0


def test_another_processor_or_compiler_has_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = keeping.stamp()
    assert keeping.stamp() == here
    monkeypatch.setattr(keeping, "version", lambda _: "0.0")
    assert keeping.stamp() != here


UNKNOWN_PROCESSOR = """
from doorward.matching import compiling, keeping, linking
linking.FILLINGS.clear()
keeping.find = lambda *_: None
assert compiling.load(apart=False)
assert isinstance(compiling._loaded[0], keeping.Jitted)
"""


def test_on_a_processor_that_our_linker_does_not_know_the_compiler_itself_links() -> None:
    code = UNKNOWN_PROCESSOR + SEARCH
    done = subprocess.run(
        [sys.executable, "-c", code, "search"], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"made": 0, "compiler": True}


def test_a_loop_that_allocates_or_raises_is_refused() -> None:
    def allocates(numbers: NDArray[np.uint32]) -> None:
        numbers[0] = np.zeros(len(numbers), np.uint32).sum()

    def raises(numbers: NDArray[np.uint32]) -> None:
        if numbers[0]:
            raise ValueError("at a gate")

    for function in (allocates, raises):
        loop: Loop[Any, Any] = Loop(function, (into(uint32, 1),))
        with pytest.raises(Unlinkable):
            translating.translated([loop])


def test_arguments_of_another_kind_are_refused() -> None:
    whole, out = np.ones((4, 4), np.int32), np.zeros(4, np.uint32)
    row_products(whole, whole, out)
    assert out.tolist() == [4] * 4
    locked = out.copy()
    locked.flags.writeable = False
    for arguments in (
        (whole.astype(np.int64), whole, out),
        (whole[:, ::2], whole, out),
        (whole[0], whole, out),
        (whole, whole, locked),
        (whole, whole),
    ):
        with pytest.raises(TypeError):
            row_products(*arguments)


def test_our_own_memset_fills_just_what_it_is_told_to() -> None:
    code, starts = linked(translating.machine().emit_object(translating.lowered([])))
    held = keeping.keep("0" * 64, keeping.Compiled(code, starts), folders=[])
    fill = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)(
        held.address_of("memset")
    )
    for size in (0, 1, 63, 64, 65, 200):
        room = np.zeros(256, np.uint8)
        fill(room.ctypes.data + 3, 7, size)
        assert room.tolist() == [0] * 3 + [7] * size + [0] * (253 - size)


def test_the_code_can_be_shown_to_a_reviewer() -> None:
    shown = translating.assembly(loop for loop in LOOPS if loop is row_products)
    assert "imul" in shown or "vpmul" in shown
    assert "idiv" not in shown
