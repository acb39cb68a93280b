"""What a process that holds keys owes them and its machine: its memory stays its own, and small."""

import ctypes
import resource
import sys

_PR_SET_DUMPABLE = 4
# mallopt(3). Each of glibc's arenas keeps what its threads ever used; two are enough for few cores.
_M_ARENA_MAX, _ARENAS = -8, 2


def keep_memory_private() -> None:
    """No core file of this process, and no other process of its account may read its memory; root may."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def keep_memory_small() -> None:
    """Tell glibc's allocator not to hoard; where there is another allocator nothing changes."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, _ARENAS)
