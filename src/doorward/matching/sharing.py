"""Spreads a loop over threads, each with a range of its own."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
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
    rest = [(_pool().submit(work, *each), each) for each in ranges[1:]]
    work(*ranges[0])
    for one, each in reversed(rest):
        if one.cancel():
            work(*each)
        else:
            one.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(cores(), 2), thread_name_prefix="matching")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay with the parent
