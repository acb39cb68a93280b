"""Compiles the inner loops to machine code, once: what `doorward models prepare` compiled is loaded later.

The loops hold no lock of the interpreter and start no threads of their own; `sharing` spreads them.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """This loop as machine code; integers wrap around, nothing is checked: callers bring the right shapes."""
    made: Callable[P, R] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return made


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A piece of such a loop, without a call of its own."""
    made: Callable[P, R] = numba.njit(inline="always")(function)
    return made
