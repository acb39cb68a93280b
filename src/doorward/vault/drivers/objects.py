"""Encrypted objects in a local folder."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from doorward.core.errors import NotFound, Unavailable

REFUSED = "The photo could not be written: check the data folder's disk."
NAME = re.compile(r"[0-9a-f]{32}")


class FolderObjects:
    """One file of mode 0600 an object, in folders of mode 0700 named by the first two characters."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Keep an object durably; `Unavailable` if the disk refuses. Names are never used twice."""
        path = self._path(name)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(REFUSED) from error
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            _sync(path.parent)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise Unavailable(REFUSED) from error

    def get(self, name: str) -> bytes:
        """An object; `NotFound` if it is gone."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("This photo's file is gone from the object folder: restore it.") from error

    def remove(self, name: str) -> None:
        """Delete an object; one that is gone already is no error."""
        self._path(name).unlink(missing_ok=True)

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every object whose file is older than this, by the disk's own clock."""
        limit = time.time() - older_than_seconds
        for path in self._folder.glob("*/*"):
            if NAME.fullmatch(path.name) and path.stat().st_mtime <= limit:
                yield path.name

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise NotFound("There is no object of that name.")
        return self._folder / name[:2] / name


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
