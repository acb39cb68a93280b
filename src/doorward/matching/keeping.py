"""Where compiled loops are kept: beside the source, or else in the user's own cache.

One file holds the code of all loops, for this source, this compiler and this processor: its name is the
digest of those. What the installer compiled serves an account that cannot write. Who can write to that folder
rules the process, as with the source itself; the digest in the file finds damage, not malice.
"""

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

PROCESSOR: Final = (
    *("vendor_id", "cpu family", "model", "flags"),  # as Linux tells of one by Intel or AMD
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),  # by Arm
)
PAGE: Final = 4096  # before the code, so that its places in a page are the same in memory


@dataclass(frozen=True, slots=True)
class Compiled:
    """Machine code that needs nothing besides itself, wherever it lies; where in it each loop begins."""

    code: bytes
    starts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Such code in memory, where it may be run and not be changed."""

    starts: dict[str, int]
    memory: mmap.mmap = field(repr=False)

    def address_of(self, name: str) -> int:
        """Where a loop begins."""
        return int(np.frombuffer(self.memory, np.uint8).ctypes.data) + PAGE + self.starts[name]


@dataclass(frozen=True, slots=True)
class Jitted:
    """Such code as LLVM holds it in memory, for this process alone."""

    engine: Any

    def address_of(self, name: str) -> int:
        """Where a loop begins."""
        return int(self.engine.get_function_address(name))


def sources() -> list[Path]:
    """The files of the room: loops, what they take in, and what makes code of them."""
    return sorted(Path(__file__).parent.glob("*.py"))


def stamp() -> str:
    """The digest of all that the code depends on."""
    told = hashlib.sha256()
    for file in sources():  # a constant in one is part of the code of another
        told.update(file.read_bytes())
    for library in ("numba", "llvmlite"):
        told.update(f"{library} {version(library)}\n".encode())
    told.update(_processor().encode())
    return told.hexdigest()


def find(stamp: str, folders: Iterable[Path] | None = None) -> Mapped | None:
    """The code that was kept under a stamp, if it is whole."""
    for folder in _folders() if folders is None else folders:
        with suppress(OSError), (folder / _name(stamp)).open("rb") as file:
            if (found := _mapped(file.fileno())) is not None:
                return found
    return None


def keep(stamp: str, compiled: Compiled, folders: Iterable[Path] | None = None) -> Mapped:
    """Keep code for later processes in the first folder that can be written to, and have it in memory."""
    content = _content(compiled)
    for folder in _folders() if folders is None else folders:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            _write(folder / _name(stamp), content)
            if (found := find(stamp, [folder])) is not None:
                return found
    file = os.memfd_create("loops")  # read-only, and made for another processor: this process does without
    try:
        with open(file, "wb", closefd=False) as nowhere:
            nowhere.write(content)
        found = _mapped(file)
    finally:
        os.close(file)
    assert found is not None
    return found


def _folders() -> Iterator[Path]:
    yield Path(__file__).with_name("__pycache__")
    with suppress(RuntimeError):  # an account without a home
        yield Path.home() / ".cache" / "doorward"


def _name(stamp: str) -> str:
    return f"loops-{stamp[:32]}.code"


def _content(compiled: Compiled) -> bytes:
    digest = hashlib.sha256(compiled.code).hexdigest()
    head = json.dumps({"starts": compiled.starts, "digest": digest}).encode()
    assert len(head) <= PAGE
    return head.ljust(PAGE) + compiled.code


def _mapped(file: int) -> Mapped | None:
    size = os.fstat(file).st_size
    if size <= PAGE:
        return None
    memory = mmap.mmap(file, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
    try:
        head = json.loads(memory[:PAGE])
    except ValueError:
        return None
    if hashlib.sha256(memory[PAGE:]).hexdigest() != head["digest"]:
        return None
    return Mapped(head["starts"], memory)


def _write(place: Path, content: bytes) -> None:
    """All of it or nothing, also when two processes do so at once."""
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _processor() -> str:
    """What Linux says of the first one, without what changes from moment to moment."""
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    return "\n".join(line for line in lines if line.partition("\t")[0].strip() in PROCESSOR)
