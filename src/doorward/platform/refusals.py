"""What a database means when it refuses, in our own families of errors."""

import psycopg
from sqlalchemy.exc import StatementError

from doorward.core.errors import DoorwardError, Invalid, Tampered, Unavailable

OUT_OF_RANGE = "A number, date or text lies outside of what can be kept: send a usual one."

FULL = "The disk is full: nothing was kept. Free some space and try again."
BUSY = "The database is busy with another writer: nothing was kept. Try again."
REFUSED = "The database refused the work: nothing was kept."
GONE = (
    "The database does not answer or does not let us in: nothing was kept. See that it runs and that "
    "database.url is right, then try again."
)
SHUT_OUT = "The database does not let us in: check database.url, the role and its rights."
# What PostgreSQL says, by code or class of codes.
POSTGRES: dict[str, tuple[type[DoorwardError], str]] = {
    "08": (Unavailable, GONE),
    "22": (Invalid, OUT_OF_RANGE),
    "25006": (Unavailable, "The database only lets us read: point database.url at the one that is written."),
    "25P03": (Unavailable, BUSY),
    "28": (Unavailable, SHUT_OUT),
    "3D": (Unavailable, SHUT_OUT),
    "40": (Unavailable, BUSY),
    "42501": (Unavailable, SHUT_OUT),
    "53": (Unavailable, "The database has no room for us: see docs/operate/postgresql.md for its limits."),
    "53100": (Unavailable, FULL),
    "55P03": (Unavailable, BUSY),
    "57": (Unavailable, GONE),
    "58": (Unavailable, GONE),
    "XX001": (Tampered, "The database is damaged: restore a backup."),
    "XX002": (Tampered, "The database is damaged: restore a backup."),
}


def translate(error: StatementError) -> DoorwardError:
    """What a database driver's complaint means, without its statement or its values."""
    if isinstance(error.orig, psycopg.Error):
        return _postgres_says(error.orig)
    return _file_says(error)


def _file_says(error: StatementError) -> DoorwardError:
    text = str(error.orig).lower()
    if isinstance(error.orig, OverflowError | UnicodeError) or "out of range" in text:
        return Invalid(OUT_OF_RANGE)
    if "full" in text or "no space" in text:
        return Unavailable(FULL)
    if "locked" in text or "busy" in text:
        return Unavailable(BUSY)
    if "malformed" in text or "not a database" in text or "corrupt" in text:
        return Tampered("The database is damaged or was opened with another key: restore a backup.")
    if "readonly" in text or "unable to open" in text or "i/o" in text:
        return Unavailable("The database cannot be written: check the data folder's disk and its owner.")
    return DoorwardError(REFUSED, kind=type(error.orig).__name__)


def _postgres_says(error: psycopg.Error) -> DoorwardError:
    """By its code, or the first half of it, since its words come in the language of its server."""
    code = error.sqlstate or ("22" if isinstance(error, psycopg.DataError) else "08")
    if not error.sqlstate and not isinstance(error, psycopg.DataError | psycopg.OperationalError):
        return DoorwardError(REFUSED, kind=type(error).__name__)
    kind, words = POSTGRES.get(code) or POSTGRES.get(code[:2]) or (DoorwardError, REFUSED)
    return kind(words, kind=type(error).__name__)
