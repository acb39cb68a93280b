"""A reader behind a serial line that sends one line for each card, code or PIN."""

import os
import select
import termios
import tty
from pathlib import Path
from typing import Final

from doorward.core.errors import Unavailable
from doorward_edge.drivers.relay import SPEEDS
from doorward_edge.ports import ReaderEvent, Shown

LONGEST_LINE: Final = 1024
ONE_READ: Final = 4096


class LineReader:
    """Opens its device at the first poll, and again after it was unplugged."""

    def __init__(self, device: Path, kind: Shown, *, speed: int = 9600) -> None:
        self._device = device
        self._kind = kind
        self._speed = SPEEDS[speed]
        self._file: int | None = None
        self._rest = b""
        self._skips = False

    def poll(self) -> ReaderEvent | None:
        """The next line, or None; lines too long or not printable are thrown away."""
        try:
            self._read()
        except OSError as error:
            self.close()
            raise Unavailable("The reader does not answer: check its cable and its path.") from error
        while b"\n" in self._rest:
            line, self._rest = self._rest.split(b"\n", 1)
            if self._skips:
                self._skips = False
                continue
            value = line.strip().decode("ascii", errors="replace")
            if 0 < len(value) <= LONGEST_LINE and value.isascii() and value.isprintable():
                return ReaderEvent(self._kind, value)
        if len(self._rest) > LONGEST_LINE:
            # What follows belongs to the same line until it ends.
            self._rest, self._skips = b"", True
        return None

    def tell(self, accepted: bool) -> None:
        """Such readers have no light that we could switch."""

    def close(self) -> None:
        """Let go of the device."""
        if self._file is not None:
            os.close(self._file)
        self._file, self._rest, self._skips = None, b"", False

    def _read(self) -> None:
        if self._file is None:
            self._file = os.open(self._device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
            if os.isatty(self._file):
                tty.setraw(self._file, termios.TCSANOW)
                settings = termios.tcgetattr(self._file)
                settings[4] = settings[5] = self._speed
                termios.tcsetattr(self._file, termios.TCSANOW, settings)
        ready, _, _ = select.select([self._file], [], [], 0)
        if not ready:
            return
        raw = os.read(self._file, ONE_READ)
        if not raw:
            raise OSError("end of file")
        self._rest += raw.replace(b"\r", b"\n")
