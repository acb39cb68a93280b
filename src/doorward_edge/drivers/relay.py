"""A relay behind a device file: a serial line, a USB relay board, or a GPIO value file."""

import os
import termios
import threading
import tty
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from doorward.core.errors import Unavailable
from doorward_edge.ports import BarrierState

SPEEDS = {
    1200: termios.B1200,
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}


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


class RelayBarrier:
    """Writes ON, and OFF after so many seconds; opening again meanwhile prolongs it.

    The file is opened for each command, so that a board that was unplugged and came back works again.
    `speed` in baud sets a serial line to raw mode and is ignored for files that are none.
    """

    def __init__(
        self,
        device: Path,
        words: RelayWords | None = None,
        *,
        speed: int = 9600,
        after: Callable[[float, Callable[[], None]], Callable[[], None]] = _timer,
    ) -> None:
        self._device = device
        self._words = words or RelayWords()
        self._speed = SPEEDS[speed]
        self._after = after
        self._cancel: Callable[[], None] | None = None
        self._lock = threading.Lock()
        self._is_on: bool | None = None

    def open(self, seconds: int) -> None:
        """Switch on; `Unavailable` if the board does not take the command."""
        with self._lock:
            if self._cancel is not None:
                self._cancel()
            self._write(self._words.on)
            self._is_on = True
            self._cancel = self._after(seconds, self.shut)

    def shut(self) -> None:
        """Switch off; a board that does not listen is tried again each second."""
        with self._lock:
            if self._cancel is not None:
                self._cancel()
            self._cancel = None
            try:
                self._write(self._words.off)
                self._is_on = False
            except Unavailable:
                self._is_on = None
                self._cancel = self._after(1.0, self.shut)

    def state(self) -> BarrierState:
        """What was last commanded; a relay has no contacts of its own."""
        if self._is_on is None:
            return BarrierState.UNKNOWN
        return BarrierState.OPEN if self._is_on else BarrierState.SHUT

    def _write(self, command: bytes) -> None:
        try:
            # Never create the file: a missing board must not become a text file that looks like one.
            device = os.open(self._device, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
            try:
                self._make_raw(device)
                written = os.write(device, command)
            finally:
                os.close(device)
        except OSError as error:
            raise Unavailable("The relay did not take the command: check its cable and its path.") from error
        if written != len(command):
            raise Unavailable("The relay took only a part of the command: check its cable.")

    def _make_raw(self, device: int) -> None:
        if not os.isatty(device):
            return
        tty.setraw(device, termios.TCSANOW)
        settings = termios.tcgetattr(device)
        settings[4] = settings[5] = self._speed
        termios.tcsetattr(device, termios.TCSANOW, settings)
