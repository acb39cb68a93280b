"""Contacts: lines of a board that says `NAME VALUE` at each change, or files that hold a 0 or a 1."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from doorward.core.errors import Unavailable
from doorward_edge.drivers.lines import Lines
from doorward_edge.ports import Input, InputChange

SEPARATORS: Final = str.maketrans("=:,;", "    ")
FILE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact: its name on the board, what it means, and the value at which it is active.

    A door's is active when the leaf stands open; a fire alarm's is best wired so that a cut wire is active.
    """

    name: str
    input: Input
    active_at: str

    def says(self, value: str) -> InputChange:
        """What a value of it means."""
        return InputChange(self.input, value == self.active_at, self.name)


class LineInputs:
    """A board on a serial line, such as a microcontroller: `door 1`, `in2=0`, one line for each change.

    `hello` is sent whenever the device was opened, for boards that answer with how every contact stands.
    """

    def __init__(self, lines: Lines, contacts: Sequence[Contact]) -> None:
        self._lines = lines
        self._contacts = {contact.name: contact for contact in contacts}

    def poll(self) -> InputChange | None:
        """The next line about a contact that we know."""
        while (line := self._lines.next()) is not None:
            words = line.translate(SEPARATORS).split()
            contact = self._contacts.get(words[0]) if len(words) == 2 else None
            if contact is not None:
                return contact.says(words[1])
        return None


class FileInputs:
    """A file for each contact whose text is its value, such as `/sys/class/gpio/gpio17/value`."""

    def __init__(self, folder: Path, contacts: Sequence[Contact]) -> None:
        self._files = [(folder / contact.name, contact) for contact in contacts]
        self._values: dict[Path, str] = {}
        self._changes: deque[InputChange] = deque()

    def poll(self) -> InputChange | None:
        """What differs from the last look; at the first one, and after a file was gone, how all stand."""
        if not self._changes:
            self._look()
        return self._changes.popleft() if self._changes else None

    def _look(self) -> None:
        for path, contact in self._files:
            try:
                with path.open("rb") as file:
                    value = file.read(FILE_BYTES).decode("ascii", errors="replace").strip()
            except OSError as error:
                self._values.pop(path, None)
                raise Unavailable("A contact's file cannot be read: check its path.") from error
            if self._values.get(path) != value:
                self._values[path] = value
                self._changes.append(contact.says(value))
