"""A reader behind a serial line that sends one line for each card, code or PIN."""

from pathlib import Path

from doorward_edge.drivers.lines import Lines
from doorward_edge.ports import ReaderEvent, Shown, Sign


class LineReader:
    """Opens its device at the first poll, and again after it was unplugged."""

    def __init__(self, device: Path, kind: Shown, *, speed: int = 9600, reader_id: str = "") -> None:
        self._lines = Lines(device, speed=speed)
        self._kind = kind
        self._reader_id = reader_id

    def poll(self) -> ReaderEvent | None:
        """The next line, or None; lines too long or not printable are thrown away."""
        line = self._lines.next()
        return None if line is None else ReaderEvent(self._kind, line, self._reader_id)

    def tell(self, sign: Sign) -> None:
        """Such readers have no light that we could switch."""

    def close(self) -> None:
        """Let go of the device."""
        self._lines.close()
