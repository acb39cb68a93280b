"""A room is nobody's twice at once, and what was secret in it is gone before the next one has it."""

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from doorward.matching.encrypting import encrypt
from doorward.matching.rooms import Rooms


def address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def test_a_room_is_used_again_once_the_last_array_in_it_is_gone() -> None:
    rooms = Rooms(8192, most=2, secret=16)
    first = rooms.take()
    first.fill(7)
    where, tail = address(first), first[4096:].view(np.uint32).reshape(2, -1)[1]
    del first
    second = rooms.take()
    assert address(second) != where  # somebody still looks at the tail of the first
    assert (tail == 0x07070707).all()
    del tail
    gc.collect()
    third = rooms.take()
    assert address(third) == where
    assert not third[:16].any() and (third[16:] == 7).all()


def test_no_more_rooms_wait_than_were_allowed() -> None:
    rooms = Rooms(4096, most=1, secret=4096)
    held = [rooms.take() for _ in range(3)]
    assert len({address(room) for room in held}) == 3
    held.clear()
    gc.collect()
    assert len(rooms._free) == 1


def test_queries_made_at_once_share_nothing() -> None:
    numbers = np.arange(-20, 20, dtype=np.int32)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: encrypt(numbers, threads=2), range(24)))
    copies = [[half.copy() for half in (one.face, one.mask, one.secret, one.opened)] for one in made]
    del made[12:]
    made += [encrypt(numbers, threads=2) for _ in range(12)]
    for one, copied in zip(made[:12], copies[:12], strict=True):
        for half, copy in zip((one.face, one.mask, one.secret, one.opened), copied, strict=True):
            assert (half == copy).all()
    starts = [address(half) for one in made for half in (one.face, one.mask, one.secret, one.opened)]
    assert len(set(starts)) == len(starts)
    assert len({one.mask_seed for one in made}) == len(made)
    for kept in range(4):
        assert len({copied[kept].tobytes() for copied in copies}) == len(copies)


def test_one_thread_or_two_open_to_the_same_numbers() -> None:
    """What was sent, less the mask times the secret, is what is kept opened: in each row, at any length."""
    q = 268_369_921
    for length in (1, 31, 32, 33, 100):
        numbers = np.random.default_rng(length).integers(-1000, 1000, length, dtype=np.int32)
        for threads in (1, 2):
            one = encrypt(numbers, threads=threads)
            product = one.mask.astype(np.int64) * one.secret[:, None].astype(np.int64)
            assert ((one.face - product - one.opened) % q == 0).all()
            assert np.abs(one.opened).max() <= q // 2 and np.abs(one.face).max() <= q // 2
