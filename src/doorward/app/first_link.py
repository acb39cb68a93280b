"""Where the first administrator's link is told: on a terminal, and never in a log."""

import os
import sys
from pathlib import Path

FILE = "first-administrator.txt"


def tell_first_link(
    link: str | None, keys: Path, *, to_terminal: bool | None = None
) -> tuple[str, str] | None:
    """What is told, by its name: the link if a person reads along, else the file of mode 0600 that holds it.

    A journal or log keeps what is written to it for everybody who may read it. A former file goes.
    """
    path = keys / FILE
    path.unlink(missing_ok=True)
    if link is None:
        return None
    if sys.stdout.isatty() if to_terminal is None else to_terminal:
        return "first_administrator", link
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(link + "\n")
    return "first_administrator_file", str(path)
