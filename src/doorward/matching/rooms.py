"""Memory that is used again: asking the kernel for new pages takes longer than encrypting into them."""

import mmap
import weakref
from collections import deque

import numpy as np
from numpy.typing import NDArray


class Rooms:
    """Rooms of one size, each somebody's until the last array in it is gone; then it is wiped and waits.

    Safe from any thread, and from the collection of garbage in the midst of anything: nothing here locks.
    """

    def __init__(self, size: int, *, most: int, secret: int) -> None:
        self._size = size
        self._secret = secret  # so many bytes from the start are wiped
        self._free: deque[mmap.mmap] = deque(maxlen=most)

    def take(self) -> NDArray[np.uint8]:
        """One that nobody else looks at, from the start of a page; what its rest holds is left over."""
        try:
            memory = self._free.popleft()
        except IndexError:
            memory = mmap.mmap(-1, self._size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        room = np.frombuffer(memory, np.uint8)  # whatever is cut from it keeps it
        weakref.finalize(room, self._give_back, memory).atexit = False
        return room

    def _give_back(self, memory: mmap.mmap) -> None:
        np.frombuffer(memory, np.uint8, self._secret).fill(0)
        self._free.append(memory)
