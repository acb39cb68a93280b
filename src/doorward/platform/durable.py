"""Files that must outlive a loss of power, and old ones that must not."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Return once the folder's own entries (files made, renamed or removed in it) are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overwrite(descriptor: int) -> None:
    """Zeros over a replaced file, and close it: its secrets lose their old place where the disk allows it."""
    with os.fdopen(descriptor, "r+b") as old:
        size = os.fstat(old.fileno()).st_size
        old.write(bytes(size))
        old.flush()
        os.fsync(old.fileno())
