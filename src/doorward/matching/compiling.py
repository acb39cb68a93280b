"""Inner loops as machine code: compiled once, at install, and run from then on without the compiler.

A loop states what it takes, so that it is compiled for that and for nothing else: `prepare` can do all of it
ahead, and another kind of array is a TypeError instead of seconds of waiting at a gate. Loops hold no lock of
the interpreter. They must neither allocate nor raise, so that their code needs nothing from anybody: a server
that only runs them never loads numba, which alone would take a quarter of its memory.
"""

import ctypes
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from doorward.matching import keeping
from doorward.matching.linking import Unlinkable

P = ParamSpec("P")
R = TypeVar("R")
Entry = Callable[[Any], None]
Anything = NDArray[Any]  # spelt out at each call, it took a tenth of a search
_enter = ctypes.CFUNCTYPE(None, ctypes.c_void_p)  # lets go of the interpreter's lock for as long as it runs


@dataclass(frozen=True, slots=True)
class Array:
    """A contiguous array that a loop takes."""

    kind: np.dtype[Any]
    dimensions: int
    is_written: bool

    def words(self, given: NDArray[Any]) -> tuple[int, ...]:
        """How its code is told of one: no owner, size, address, shape, strides (numba's order)."""
        flags = given.flags
        laid_out = flags.carray if self.is_written else flags.c_contiguous and flags.aligned
        if not laid_out or given.ndim != self.dimensions or given.dtype != self.kind:
            written = ", to be written to" if self.is_written else ""
            raise TypeError(f"A loop takes a contiguous array{written}: {self.kind}, {self.dimensions} long.")
        return 0, 0, given.size, given.itemsize, given.ctypes.data, *given.shape, *given.strides


Kind = Array | type[np.integer[Any]]


class Loop(Generic[P, R]):
    """A function as machine code: integers wrap around, no index is checked, so callers check shapes."""

    def __init__(self, function: Callable[P, R], takes: tuple[Kind, ...]) -> None:
        self.function: Any = function
        self.takes = takes
        self._enter: Entry | None = None

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> None:
        """Run it; has the code of all loops in memory from the first call on. Arguments by place alone."""
        if named or len(arguments) != len(self.takes):
            raise TypeError(f"This loop takes {len(self.takes)} arguments, by place.")
        words: list[int] = []
        for kind, given in zip(self.takes, arguments, strict=True):
            if isinstance(kind, Array):
                words += kind.words(cast(Anything, given))
            else:
                words.append(int(kind(cast(int, given))))
        if self._enter is None:
            load()
            self._enter = _entry_of(self)
        self._enter(struct.pack(f"{len(words)}q", *words))


LOOPS: Final[list[Loop[..., Any]]] = []
LOOPED: Final = ("blocks", "encrypting", "matcher", "opening", "queries", "randomness", "ring")
"""The files with loops in them: importing them is what lists those."""
PIECES: Final[dict[Callable[..., Any], dict[str, Any]]] = {}
"""Functions that are part of loops, with what the compiler is told of them."""
APART: Final = "from doorward.matching import compiling; compiling.load(apart=False)"
_loading = threading.Lock()
Held = keeping.Mapped | keeping.Jitted
_loaded: list[Held] = []  # for as long as the process runs: loops are somewhere in it


def load(*, apart: bool = True) -> bool:
    """Have the code of all loops in memory. Whether it had to be compiled.

    That is done in a process apart: the compiler would stay in the memory of this one.
    """
    with _loading:
        if _loaded:
            return False
        stamp = keeping.stamp()
        found: Held | None = keeping.find(stamp)
        if is_new := found is None:
            if apart:
                words = sys.executable, "-P", "-c", APART
                nothing = subprocess.DEVNULL
                subprocess.run(words, stdin=nothing, stdout=nothing, check=False)  # noqa: S603  our own module
                found = keeping.find(stamp)
            if found is None:  # itself, or for itself alone: nowhere could it be kept
                found = _made(stamp)
        assert found is not None
        _loaded.append(found)
        return is_new


def _made(stamp: str) -> Held:
    """Code to keep; on a processor whose references our linker does not know, what LLVM itself loads."""
    try:
        return keeping.keep(stamp, _translated())
    except Unlinkable:
        return keeping.Jitted(_translating().jitted(LOOPS))


def _entry_of(loop: Loop[..., Any]) -> Entry:
    found = _loaded[0]
    address = found.address_of(loop.function.__name__)
    return cast(Entry, _enter(address))


def _translated() -> keeping.Compiled:
    return cast(keeping.Compiled, _translating().translated(LOOPS))


def _translating() -> Any:
    """Only who compiles needs numba."""
    for name in LOOPED:
        import_module(f"doorward.matching.{name}")
    return import_module("doorward.matching.translating")


def compiled(*takes: Kind) -> Callable[[Callable[P, R]], Loop[P, R]]:
    """This loop as machine code for just these kinds of arguments."""

    def made(function: Callable[P, R]) -> Loop[P, R]:
        LOOPS.append(loop := Loop(function, takes))
        return loop

    return made


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small piece of loops, without a call of its own."""
    PIECES[function] = {"inline": "always"}
    return function


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of loops, compiled with them."""
    PIECES[function] = {"error_model": "numpy"}
    return function


def given(kind: type[np.integer[Any]], dimensions: int) -> Array:
    """An array that is only read; contiguous."""
    return Array(np.dtype(kind), dimensions, is_written=False)


def into(kind: type[np.integer[Any]], dimensions: int) -> Array:
    """An array that is written to; contiguous."""
    return Array(np.dtype(kind), dimensions, is_written=True)


def cells_at(address: int | np.uint64, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """The int32 array of this shape at an address."""
    pointer = ctypes.cast(int(address), ctypes.POINTER(ctypes.c_int32))
    return np.ctypeslib.as_array(pointer, shape)


def words_at(address: int | np.uint64, shape: tuple[int, ...]) -> NDArray[np.uint32]:
    """The uint32 array of this shape at an address; if the shape is constant, so are its loops."""
    pointer = ctypes.cast(int(address), ctypes.POINTER(ctypes.c_uint32))
    return np.ctypeslib.as_array(pointer, shape)


def fetch(address: np.uint64) -> None:
    """Ask memory for the 64 bytes around an address, soon to be read; does no harm where nothing is."""
