"""A relay behind a device file: a serial line, a USB relay board, or a GPIO value file."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from doorward.core.errors import Unavailable
from doorward_edge.drivers.lines import make_raw
from doorward_edge.drivers.shared_end import SharedEnd
from doorward_edge.ports import BarrierState, Movement

AGAIN_SECONDS = 1.0
After = Callable[[float, Callable[[], None]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class RelayWords:
    """The bytes that switch a board on and off.

    The defaults are those of the common one-channel USB board (A0 channel state sum); a GPIO value file
    wants `b"1"` and `b"0"`.
    """

    on: bytes = bytes.fromhex("a00101a2")
    off: bytes = bytes.fromhex("a00100a1")


def _timer(seconds: float, act: Callable[[], None]) -> Callable[[], None]:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    return timer.cancel


def _boot_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class RelayBarrier:
    """Writes ON, and OFF after so many seconds; opening again meanwhile prolongs it, and never shortens it.

    From the moment ON may have reached the board until OFF was taken, an OFF is always due: one that the
    board does not take is said again each second. The file is opened for each command, so that a board that
    was unplugged and came back works again. `speed` in baud sets a serial line to raw mode. With `shared`,
    several agents stand on one relay, and it is switched off only when the last of them lets go.
    """

    def __init__(
        self,
        device: Path,
        words: RelayWords | None = None,
        *,
        speed: int = 9600,
        shared: SharedEnd | None = None,
        after: After = _timer,
        now: Callable[[], float] = _boot_seconds,
    ) -> None:
        self._device = device
        self._words = words or RelayWords()
        self._speed = speed
        self._shared = shared
        self._after = after
        self._now = now
        self._cancel: Callable[[], None] | None = None
        self._due: object = None
        self._until = float("-inf")
        self._lock = threading.Lock()
        self._is_on: bool | None = None

    def open(self, seconds: int) -> Movement:
        """Switch on; `Unavailable` if the board does not take the command."""
        with self._lock:
            until = max(self._until, self._now() + seconds)
            if self._shared is not None:
                self._shared.prolong(until)
            # The OFF is due before the ON is said: no fault in between may leave the relay on.
            before = self._cancel
            cancel, due = self._arm(until - self._now())
            try:
                self._write(self._words.on)
            except Unavailable:
                self._is_on = None
                if before is None:
                    # Part of the command may have arrived.
                    cancel()
                    cancel, due = self._arm(AGAIN_SECONDS)
                    self._cancel, self._due = cancel, due
                else:
                    cancel()
                raise
            if before is not None:
                before()
            self._cancel, self._due, self._until, self._is_on = cancel, due, until, True
        return Movement.MOVED

    def movement(self) -> Movement:
        """A relay board takes a command or not; there is nothing to wait for."""
        return Movement.MOVED if self._is_on else Movement.FAILED

    def shut(self) -> None:
        """Switch off, unless another agent holds this relay; a board that does not listen is told again."""
        with self._lock:
            self._until = float("-inf")
            if self._shared is not None:
                self._shared.let_go()
            self._off()

    def _arm(self, seconds: float) -> tuple[Callable[[], None], object]:
        due = object()
        return self._after(max(seconds, 0.0), lambda: self._end(due)), due

    def _end(self, due: object) -> None:
        with self._lock:
            # A timer that had gone off while the next opening was on its way has nothing to say any more.
            if due is self._due:
                self._until = float("-inf")
                self._off()

    def _off(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self._cancel, self._due = None, None
        others = self._shared.latest() if self._shared is not None else float("-inf")
        if others > self._now():
            self._cancel, self._due = self._arm(others - self._now())
            return
        try:
            self._write(self._words.off)
            self._is_on = False
        except Unavailable:
            self._is_on = None
            self._cancel, self._due = self._arm(AGAIN_SECONDS)

    def state(self) -> BarrierState:
        """What was last commanded; a relay has no contacts of its own."""
        if self._is_on is None:
            return BarrierState.UNKNOWN
        return BarrierState.OPEN if self._is_on else BarrierState.SHUT

    def check(self) -> None:
        """`Unavailable` if the device cannot be opened for writing; switches nothing."""
        try:
            os.close(os.open(self._device, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK))
        except OSError as error:
            raise Unavailable(
                "The relay cannot be opened: check its cable, its path and your rights."
            ) from error

    def _write(self, command: bytes) -> None:
        try:
            # Never create the file: a missing board must not become a text file that looks like one.
            device = os.open(self._device, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                make_raw(device, self._speed)
                written = os.write(device, command)
            finally:
                os.close(device)
        except OSError as error:
            raise Unavailable("The relay did not take the command: check its cable and its path.") from error
        if written != len(command):
            raise Unavailable("The relay took only a part of the command: check its cable.")
