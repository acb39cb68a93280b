"""Files and folders that must be their owner's alone; each refusal names the command that mends it."""

import os
import shlex
from pathlib import Path

from doorward.core.errors import Invalid

FOR_OTHERS = 0o077
CHANGES_BY_OTHERS = 0o022
LONGEST_SECRET = 4096


def require_private(place: Path) -> None:
    """`Invalid` if anybody but its owner may read or change it, or its owner is neither us nor root."""
    _require(place, FOR_OTHERS, "is open to others", "chmod 700" if place.is_dir() else "chmod 600")


def require_unchanged(place: Path) -> None:
    """`Invalid` if anybody but its owner may change it, or its owner is neither us nor root."""
    _require(place, CHANGES_BY_OTHERS, "can be changed by others", "chmod go-w")


def read_secret(path: Path) -> str:
    """The one line of a file that is its owner's alone."""
    try:
        if not _is_handed_by_root(path):
            require_private(path)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The file of secrets {path} cannot be read: check its path and owner.") from error
    secret = text.strip("\r\n")
    if not secret or "\n" in secret or len(secret) > LONGEST_SECRET:
        raise Invalid(f"The file of secrets {path} must hold one line and nothing else.")
    return secret


def _is_handed_by_root(path: Path) -> bool:
    """Whether it is root's and its group's alone: so the service manager hands secrets over (by ACL)."""
    facts = path.stat()
    return (facts.st_uid, facts.st_gid) == (0, 0) and not facts.st_mode & 0o037


def _require(place: Path, forbidden: int, why: str, command: str) -> None:
    facts, named = place.stat(), shlex.quote(str(place))
    if facts.st_mode & forbidden:
        raise Invalid(f"{place} {why}: run `{command} {named}` and start again.")
    if facts.st_uid not in (0, os.geteuid()):
        raise Invalid(
            f"{place} belongs to another user: run `chown {os.geteuid()} {named}`, or start as its owner."
        )
