"""Bringing SQLite's write-ahead log into the file, so that the log holds nothing of the past."""

from contextlib import suppress
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Engine


def empty_log(engine: Engine) -> bool:
    """Empty the write-ahead log; False, at once, while a reader still needs it or a writer is at work.

    True for PostgreSQL too, whose log is not ours to cut.
    """
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        link: Any = raw.driver_connection
        link.execute("PRAGMA busy_timeout=0")  # nobody at a gate waits for us
        with suppress(sqlcipher.DatabaseError):
            busy, _, _ = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy
        return False
    finally:
        raw.invalidate()
        raw.close()
