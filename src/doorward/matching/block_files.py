"""Encrypted blocks as files of a local folder, each named by its content and mapped into memory when read."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from weakref import WeakValueDictionary

import numpy as np

from doorward.core.errors import NotFound, Tampered, Unavailable
from doorward.matching.blocks import Cells
from doorward.matching.parameters import LONGEST_TEMPLATE, RING_DEGREE

NAME = re.compile(r"[0-9a-f]{64}")
REFUSED = "A block of encrypted templates could not be written: check the data folder's disk."
GONE = "A block of encrypted templates is gone from the data folder: restore it, or rebuild the gallery."


def digest_of(cells: Cells) -> str:
    """The name of a block: the SHA-256 of its content in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(cells, "<i4").data).hexdigest()


LARGEST = 2 * 4 * RING_DEGREE * LONGEST_TEMPLATE  # twice: a block by SEAL has two halves


class FolderBlocks:
    """One file of mode 0600 a block, little endian int32 row by row, in folders of mode 0700."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # A block that somebody still holds is not mapped and proven again.
        self._mapped: WeakValueDictionary[str, Cells] = WeakValueDictionary()

    def put(self, cells: Cells) -> str:
        """Keep a block durably under the name of its content."""
        content = np.ascontiguousarray(cells, "<i4")
        digest = digest_of(content)
        path = self._path(digest)
        try:
            for folder in (self._folder, path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, half_done = mkstemp(dir=path.parent)  # mode 0600
            try:
                with os.fdopen(descriptor, "wb") as out:
                    out.write(content.data)
                    out.flush()
                    os.fsync(out.fileno())
                Path(half_done).rename(path)
            except OSError:
                with suppress(OSError):
                    Path(half_done).unlink(missing_ok=True)
                raise
            _sync(path.parent)
        except OSError as error:
            raise Unavailable(REFUSED) from error
        return digest

    def get(self, digest: str) -> Cells:
        """A block as a read-only mapping, proven by its name."""
        held = self._mapped.get(digest)
        if held is not None:
            return held
        cells = self._mapped[digest] = self._proven(digest)
        return cells

    def _proven(self, digest: str) -> Cells:
        path = self._path(digest)
        try:
            size = path.stat().st_size
            if not 0 < size <= LARGEST or size % (4 * RING_DEGREE):
                raise Tampered("A block of encrypted templates was cut short or changed.")
            flat = np.memmap(path, "<i4", mode="r")
        except FileNotFoundError as error:
            raise NotFound(GONE) from error
        except OSError as error:
            raise Unavailable("A block of encrypted templates cannot be read: check the disk.") from error
        if hashlib.sha256(np.asarray(flat).data).hexdigest() != digest:
            raise Tampered("A block of encrypted templates was changed.")
        return np.asarray(flat).reshape(RING_DEGREE, -1)

    def is_sound(self, digest: str) -> bool:
        """Whether a block is there and its content still what its name says, read anew."""
        try:
            self._proven(digest)
        except (NotFound, Tampered):
            return False
        return True

    def has(self, digest: str) -> bool:
        """Whether there is a file of that name, whatever is in it."""
        return self._path(digest).exists()

    def remove(self, digest: str) -> None:
        """Delete a block; whoever has it mapped reads on."""
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable("A block cannot be deleted: check the data folder's disk.") from error

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every block whose file is older than this, by the disk's own clock; half-written ones go."""
        limit = time.time() - older_than_seconds
        for path in self._folder.glob("*/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime > limit:
                    continue
                if NAME.fullmatch(path.name):
                    yield path.name
                else:
                    path.unlink()

    def _path(self, digest: str) -> Path:
        if not NAME.fullmatch(digest):
            raise NotFound("There is no block of that name.")
        return self._folder / digest[:2] / digest


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
