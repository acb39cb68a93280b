"""Keeps the memory of a matcher to its blocks: what only starting needed is given back."""

import ctypes
import gc
import sys
from pathlib import Path
from typing import Final

_DONTNEED: Final = 4  # madvise(2)
_MAPS: Final = Path("/proc/self/maps")


def give_back() -> None:
    """Let go of the code of libraries: of the compiler's own, hardly anything is used again.

    Such pages are unchanged copies of files; whatever is used after all is mapped anew. Elsewhere than on
    Linux nothing happens.
    """
    gc.collect()
    gc.freeze()  # what a start made stays; no later collection looks at it again
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    trim = getattr(library, "malloc_trim", None)  # glibc's
    if trim is not None:
        trim(0)
    for line in _MAPS.read_text().splitlines():
        span, rights, _, _, inode, *path = line.split(maxsplit=5)
        if rights == "r-xp" and inode != "0" and path:  # code alone: it cannot differ from its file
            start, end = (int(bound, 16) for bound in span.split("-"))
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)
