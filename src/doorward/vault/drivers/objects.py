"""Encrypted objects in a local folder."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from doorward.core.errors import NotFound, Unavailable
from doorward.platform.durable import sync_folder

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
            sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise Unavailable(REFUSED) from error

    def get(self, name: str) -> bytes:
        """An object; `NotFound` if it is gone."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound("This photo's file is gone from the object folder: restore it.") from error
        except OSError as error:
            raise Unavailable("The photo cannot be read: check the data folder's disk and owner.") from error

    def remove(self, name: str) -> None:
        """Delete an object; one that is gone already is no error. `Unavailable` if the disk refuses."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable("A photo cannot be deleted: check the data folder's disk.") from error

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every object whose file is older than this, by the disk's own clock."""
        limit = time.time() - older_than_seconds
        for path in self._folder.glob("*/*"):
            if NAME.fullmatch(path.name) and _is_from_before(limit, path):
                yield path.name

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise NotFound("There is no object of that name.")
        return self._folder / name[:2] / name


def _is_from_before(limit: float, path: Path) -> bool:
    try:
        return path.stat().st_mtime <= limit
    except FileNotFoundError:  # a job has just removed it
        return False
