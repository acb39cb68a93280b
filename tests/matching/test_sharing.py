"""Every part of a shared loop is done once, also where no other thread ever comes to help."""

import threading

import pytest

from doorward.matching import sharing
from doorward.matching.sharing import spread


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_ranges_cover_all_once(threads: int) -> None:
    done, turn = [0] * 50, threading.Lock()

    def work(start: int, end: int) -> None:
        with turn:
            for place in range(start, end):
                done[place] += 1

    for _ in range(200):
        spread(work, 50, threads=threads)
    assert done == [200] * 50


def test_a_range_that_nobody_began_is_done_by_who_waits_for_it() -> None:
    go, by = threading.Event(), []
    busy = [sharing._pool().submit(go.wait) for _ in range(max(sharing.cores(), 2))]
    try:
        spread(lambda start, end: by.append((threading.get_ident(), start, end)), 4, threads=2)
    finally:
        go.set()
    assert by == [(threading.get_ident(), 0, 2), (threading.get_ident(), 2, 4)]
    assert all(one.result() for one in busy)


def test_what_went_wrong_in_another_thread_is_told() -> None:
    def work(start: int, _: int) -> None:
        if start:
            raise ValueError("of the second half")

    with pytest.raises(ValueError, match="of the second half"):
        spread(work, 2, threads=2)
