"""Files that commands write for whoever sits at the machine: never half, never by surprise."""

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
    """A text for its owner alone; `Invalid` if the place cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Invalid(f"{path} cannot be written: check the folder and the disk.") from error


def require_picture(path: Path) -> Path:
    """A path that a code can be drawn to; a picture drawn before may lie there."""
    if path.suffix.lower() not in PICTURES:
        raise Invalid("A code is drawn as .svg or .png: name the file accordingly.")
    if not path.parent.is_dir():
        raise Invalid(f"There is no folder {path.parent}: make it first.")
    return path


def draw_code(token: str, path: Path) -> None:
    """A QR code as a picture."""
    try:
        segno.make(token, error="m", micro=False).save(str(path), scale=8)
    except OSError as error:
        raise Invalid(f"{path} cannot be written: check the folder and the disk.") from error
