"""Text devices: what a serial line, a USB board or a FIFO says, one line at a time."""

import os
import select
import termios
import tty
from pathlib import Path
from typing import Final

from doorward.core.errors import Unavailable

SPEEDS: Final = {
    1200: termios.B1200,
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}
LONGEST_LINE: Final = 1024
ONE_READ: Final = 4096


def make_raw(device: int, speed: int) -> None:
    """Set a serial line to raw bytes at that speed in baud; `OSError` if it cannot be. Others stay as is."""
    if not os.isatty(device):
        return
    try:
        tty.setraw(device, termios.TCSANOW)
        settings = termios.tcgetattr(device)
        settings[4] = settings[5] = SPEEDS[speed]
        termios.tcsetattr(device, termios.TCSANOW, settings)
    except termios.error as error:  # of no family that a driver would expect
        raise OSError(*error.args) from error


class Lines:
    """Opens its device at the first look, and again after it was unplugged. One for each device: several
    readers or contacts on one bus share it through whoever tells their lines apart.
    """

    def __init__(self, device: Path, *, speed: int = 9600, hello: bytes = b"") -> None:
        self._device = device
        self._speed = speed
        self._hello = hello
        self._file: int | None = None
        self._rest = b""
        self._skips = False

    def next(self) -> str | None:
        """The next line, or None at once; lines too long or not printable are thrown away."""
        try:
            # What waits is handed out first: a device that talks without end must not fill the memory.
            if b"\n" not in self._rest:
                self._read()
        except OSError as error:
            self.close()
            raise Unavailable("The device does not answer: check its cable and its path.") from error
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            if self._skips:
                self._skips = False
                continue
            value = line.strip().decode("ascii", errors="replace")
            if 0 < len(value) <= LONGEST_LINE and value.isascii() and value.isprintable():
                return value
        if len(self._rest) > LONGEST_LINE:
            # What follows belongs to the same line until it ends.
            self._rest, self._skips = b"", True
        return None

    def close(self) -> None:
        """Let go of the device."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._rest, self._skips = None, b"", False

    def _read(self) -> None:
        if self._file is None:
            self._file = self._open()
        ready, _, _ = select.select([self._file], [], [], 0)
        if not ready:
            return
        raw = os.read(self._file, ONE_READ)
        if not raw:
            raise OSError("end of file")
        self._rest += raw.replace(b"\r", b"\n")

    def _open(self) -> int:
        """Greeted, if it must be asked: such a device answers with how everything stands."""
        how = os.O_RDWR if self._hello else os.O_RDONLY
        device = os.open(self._device, how | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            make_raw(device, self._speed)
            if self._hello:
                os.write(device, self._hello)
        except OSError:
            os.close(device)
            raise
        return device
