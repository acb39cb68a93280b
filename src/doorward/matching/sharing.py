"""Spreads a loop over threads, each with a range of its own."""

import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from itertools import pairwise


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def spread(work: Callable[[int, int], None], upto: int, *, threads: int, least: int = 1) -> None:
    """Call `work(start, end)` for ranges that cover 0 to `upto`, each at least `least` long.

    One range alone runs in the calling thread, without waiting for another. So does what no other thread has
    begun when the calling one is done: on a busy machine they may come late.
    """
    parts = max(1, min(threads, upto // least))
    bounds = [upto * part // parts for part in range(parts + 1)]
    if parts == 1:
        work(0, upto)
        return
    ranges = list(pairwise(bounds))
    _make_way()
    rest = [(_pool().submit(work, *each), each) for each in ranges[1:]]
    work(*ranges[0])
    for one, each in reversed(rest):
        if one.cancel():
            work(*each)
        else:
            one.result()


@cache
def _pool() -> ThreadPoolExecutor:
    workers = max(cores(), 2)
    return ThreadPoolExecutor(workers, thread_name_prefix="matching", initializer=_join)


def _join() -> None:
    _threads.append(threading.get_native_id())


def _make_way() -> None:
    """Let no thread of ours wait for its caller's processor, where Linux likes to put whom it wakes.

    It would be moved to an idle one only milliseconds later, when most of a search is over.
    """
    others = os.sched_getaffinity(0) - {_libc.sched_getcpu()}
    for thread in _threads:
        with suppress(OSError):  # it may not be said here, or to this thread
            os.sched_setaffinity(thread, others)


def _forget_threads() -> None:
    """Threads stay with the parent."""
    _pool.cache_clear()
    _threads.clear()


_libc = ctypes.CDLL(None)
_threads: list[int] = []  # of the pool, as the system knows them
os.register_at_fork(after_in_child=_forget_threads)
