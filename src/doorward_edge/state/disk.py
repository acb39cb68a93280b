"""One SQLite file that several threads of one process may use, and no other process."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from doorward.core.errors import Conflict, DoorwardError, Tampered, Unavailable

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, signer_id TEXT NOT NULL, signature BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS set_aside (
    sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, signer_id TEXT NOT NULL, signature BLOB NOT NULL,
    because TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
    sequence INTEGER PRIMARY KEY, permit_id TEXT NOT NULL UNIQUE, gate_id TEXT NOT NULL,
    moved INTEGER, certain INTEGER NOT NULL DEFAULT 1, at TEXT);
CREATE TABLE IF NOT EXISTS door_states (
    sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, signer_id TEXT NOT NULL, signature BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS obeyed (number INTEGER PRIMARY KEY, permit_id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS server_keys (before BLOB PRIMARY KEY, after BLOB NOT NULL) WITHOUT ROWID;
"""


def fact_of(path: Path, name: str) -> bytes | None:
    """A value kept in a file that may be another's, which is neither changed, locked nor waited for.

    None if there is none, and if it cannot be told.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as rows:
            row = rows.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else bytes(row[0])


class Unwritable(Unavailable):
    """It is the agent's own disk that fails, and not the line to its server."""


class Disk:
    """Rows that are on disk (`synchronous=FULL`) when `together` ends, or `Unavailable` is raised.

    Without a path they lie in memory only: what is left of a way out whose disk has failed.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            path.touch(mode=0o600)
        with self.guarded():
            # Autocommit: each statement, or each `together` below, is one durable transaction.
            self._rows = sqlite3.connect(
                path or ":memory:", isolation_level=None, timeout=1.0, check_same_thread=False
            )
            self._prepare()

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.executescript(_TABLES)
        check = self._rows.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise Tampered("The agent's state file is damaged: move it away; the server tells how to go on.")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._rows.close()

    def empty_log(self) -> None:
        """Move what was written into the file itself, where `fact_of` looks."""
        with self.guarded():
            self._rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """One thread at a time, and our own errors: `Conflict`, `Unavailable` or `Tampered`."""
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    raise Conflict("Another agent is running on this state file: stop it first.") from error
                raise Unwritable(
                    "The agent's state cannot be written: see that its disk has room."
                ) from error
            except sqlite3.ProgrammingError as error:
                raise Unwritable("The agent's state was closed.") from error
            except sqlite3.DatabaseError as error:
                raise Tampered(
                    "The agent's state file is damaged: move it away; the server tells how to go on."
                ) from error

    @contextmanager
    def together(self) -> Iterator[sqlite3.Connection]:
        """One durable transaction; all of it or nothing."""
        with self.guarded():
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield self._rows
                self._rows.execute("COMMIT")
            except (sqlite3.Error, DoorwardError):
                # A disk that is full may have rolled back by itself already.
                if self._rows.in_transaction:
                    self._rows.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Look without changing anything."""
        with self.guarded():
            yield self._rows

    def fact(self, name: str) -> bytes | None:
        """A kept value."""
        with self.reading() as rows:
            row = rows.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            return None if row is None else bytes(row[0])

    def number(self, name: str) -> int:
        """A kept number, 0 if there is none."""
        return int.from_bytes(self.fact(name) or b"", "big")

    @staticmethod
    def keep(rows: sqlite3.Connection, name: str, value: bytes | int) -> None:
        """Keep a value within a transaction."""
        raw = value if isinstance(value, bytes) else value.to_bytes(8, "big")
        rows.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, raw))
