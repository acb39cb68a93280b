"""Files that commands write for whoever sits at the machine: never half, never by surprise."""

import os
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import segno

from doorward.core.errors import Conflict, Invalid

PICTURES = (".svg", ".png")


def require_writable(path: Path | None) -> Path | None:
    """The path itself, before a deed that cannot be taken back: its folder is there and it is free."""
    if path is None:
        return None
    if not path.parent.is_dir():
        raise Invalid(f"There is no folder {path.parent}: make it first.")
    if path.exists():
        raise Conflict(f"{path} is there already: name a new file.")
    return path


def write_text(path: Path, text: str) -> None:
    """A text for its owner alone, in a new file; `Invalid` if the place cannot be written."""
    _write(path, text.encode())


def require_picture(path: Path) -> Path:
    """A path that a code can be drawn to; a picture drawn before may lie there."""
    if path.suffix.lower() not in PICTURES:
        raise Invalid("A code is drawn as .svg or .png: name the file accordingly.")
    if not path.parent.is_dir():
        raise Invalid(f"There is no folder {path.parent}: make it first.")
    return path


def draw_code(token: str, path: Path) -> None:
    """A QR code as a picture for its owner alone; one drawn before goes, whoever could read it."""
    drawn = BytesIO()
    kind = path.suffix.lower().removeprefix(".")
    segno.make(token, error="m", micro=False).save(drawn, kind=kind, scale=8)
    with suppress(OSError):  # whatever is in the way is told when writing
        path.unlink(missing_ok=True)
    _write(path, drawn.getvalue())


def _write(path: Path, content: bytes) -> None:
    """Into a file that was not there, so that nobody else holds it open or has laid a link."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: check the folder and the disk.") from error
