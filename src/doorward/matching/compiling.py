"""Compiles the inner loops to machine code once, at install, and finds that code again at every start.

A loop states what it takes, so that it is compiled for that and for nothing else: `prepare` can do all of it
ahead, and another kind of array is a TypeError instead of seconds of waiting at a gate. Loops hold no lock of
the interpreter.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from doorward.matching.keeping import kept

P = ParamSpec("P")
R = TypeVar("R")


class Loop(Generic[P, R]):
    """A function as machine code: integers wrap around, no index is checked, so callers check shapes."""

    def __init__(self, function: Callable[P, R], takes: tuple[Any, ...]) -> None:
        self._function = function
        self._takes = takes
        self._compiled: Any = None

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """Run it; loads its code at the first call."""
        if self._compiled is None:
            self.load()
        result: R = self._compiled(*arguments, **named)
        return result

    def load(self) -> tuple[int, int]:
        """Have its code in memory. How many times it was found ready, and how many it had to be compiled."""
        made: Any = part(self._function)
        made._cache = kept(self._function)
        made.compile(self._takes)
        made.disable_compile()
        self._compiled = made
        return sum(made.stats.cache_hits.values()), sum(made.stats.cache_misses.values())

    def assembly(self) -> str:
        """The machine code, for reviewers; compiled anew, as numba does not show what it kept."""
        made: Any = part(self._function)
        made.compile(self._takes)
        return "\n".join(made.inspect_asm().values())


LOOPS: Final[list[Loop[..., Any]]] = []


def compiled(*takes: Any) -> Callable[[Callable[P, R]], Loop[P, R]]:
    """This loop as machine code for just these kinds of arguments."""

    def made(function: Callable[P, R]) -> Loop[P, R]:
        LOOPS.append(loop := Loop(function, takes))
        return loop

    return made


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small piece of such a loop, without a call of its own."""
    made: Callable[P, R] = numba.njit(inline="always")(function)
    return made


def part(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of such a loop, compiled with it."""
    made: Callable[P, R] = numba.njit(nogil=True, error_model="numpy")(function)
    return made


def given(kind: Any, dimensions: int) -> Any:
    """An array that is only read; contiguous."""
    return types.Array(kind, dimensions, "C", readonly=True)


def into(kind: Any, dimensions: int) -> Any:
    """An array that is written to; contiguous."""
    return types.Array(kind, dimensions, "C")


def _int32_at(_: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    pointer: Any = types.CPointer
    return pointer(types.int32)(address), code


def _fetch(_: Any, address: Any) -> Any:
    def code(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        name = "llvm.prefetch.p0"
        known = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        read, keep, data = number(0), number(3), number(1)
        builder.call(known, [builder.inttoptr(arguments[0], byte), read, keep, data])
        return context.get_dummy_value()

    nothing: Any = types.void
    return nothing(address), code


int32_at: Any = intrinsic(_int32_at)
"""An address as a pointer to int32."""
fetch: Any = intrinsic(_fetch)
"""Ask memory for the 64 bytes around an address, soon to be read; does no harm where nothing is."""
array_at: Any = numba.carray  # type: ignore[attr-defined]  # numba does not list it among what it exports
"""An array of this shape at a pointer."""
