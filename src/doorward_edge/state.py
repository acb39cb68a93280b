"""What an agent must still know after its power failed: numbers used, permits used, its journal."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from doorward.core.errors import Conflict, DoorwardError, Tampered, Unavailable
from doorward.core.wire import START_OF_CHAIN, Outcome, Signed, link_of

BLOCK: Final = 64
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (
    sequence INTEGER PRIMARY KEY, body BLOB NOT NULL, signer_id TEXT NOT NULL, signature BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outcomes (
    sequence INTEGER PRIMARY KEY, permit_id TEXT NOT NULL UNIQUE, gate_id TEXT NOT NULL,
    moved INTEGER, certain INTEGER NOT NULL DEFAULT 1, at TEXT);
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """An outcome that the server does not hold yet."""

    sequence: int
    outcome: Outcome


class AgentState:
    """One agent's durable memory; one process at a time. Nothing in it names or describes anybody.

    Every change is on disk (`synchronous=FULL`) when its method returns, or `Unavailable` is raised.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0
        self._reserved = 0
        self._path.touch(mode=0o600)
        with self._guarded():
            # Autocommit: each statement, or each `BEGIN` block below, is one durable transaction.
            self._rows = sqlite3.connect(path, isolation_level=None, timeout=1.0)
            self._prepare()

    def _prepare(self) -> None:
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.executescript(_TABLES)
        check = self._rows.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise Tampered("The agent's state file is damaged: register the agent anew with a new key.")
        self._reserved = self._next = self._number("sequence")

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise Conflict("Another agent is running on this state file: stop it first.") from error
            raise Unavailable("The agent's state cannot be written: see that its disk has room.") from error
        except sqlite3.DatabaseError as error:
            raise Tampered("The agent's state file is damaged: register the agent anew.") from error

    @contextmanager
    def _together(self) -> Iterator[None]:
        with self._guarded():
            self._rows.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._rows.execute("COMMIT")
            except (sqlite3.Error, DoorwardError):
                # A disk that is full may have rolled back by itself already.
                if self._rows.in_transaction:
                    self._rows.execute("ROLLBACK")
                raise

    def _fact(self, name: str) -> bytes | None:
        row = self._rows.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    def _number(self, name: str) -> int:
        return int.from_bytes(self._fact(name) or b"", "big")

    def _keep(self, name: str, value: bytes | int) -> None:
        raw = value if isinstance(value, bytes) else value.to_bytes(8, "big")
        self._rows.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, raw))

    def next_sequence(self) -> int:
        """A number never given before, not even before a crash; blocks of them are reserved on disk."""
        if self._next >= self._reserved:
            with self._together():
                self._keep("sequence", self._reserved + BLOCK)
            self._reserved += BLOCK
        self._next += 1
        return self._next

    def number(self, name: str) -> int:
        """A kept number, 0 if there is none: `last_used`, `policy_version`, `undecided`."""
        with self._guarded():
            return self._number(name)

    def keep_number(self, name: str, value: int) -> None:
        """Keep a number."""
        with self._together():
            self._keep(name, value)

    def journal_key(self) -> bytes | None:
        """The server's public key for journal entries, if a policy ever brought one."""
        with self._guarded():
            return self._fact("journal_key")

    def keep_journal_key(self, key: bytes) -> None:
        """Keep it: an exit must be recorded even after a restart without a server."""
        if self.journal_key() != key:
            with self._together():
                self._keep("journal_key", key)

    def mark_used(self, sequence: int, permit_id: str, gate_id: str, *, row: str = "last_used") -> None:
        """Before the barrier moves: this permit, and every earlier one, is spent. `Conflict` if it was.

        Permits asked for and permits given by hand (`last_commanded`) are numbered in rows of their own.
        """
        with self._together():
            if sequence <= self._number(row):
                raise Conflict("This permit was used before.")
            self._keep(row, sequence)
            try:
                self._rows.execute(
                    "INSERT INTO outcomes (sequence, permit_id, gate_id) VALUES (?, ?, ?)",
                    (sequence, permit_id, gate_id),
                )
            except sqlite3.IntegrityError as error:
                raise Conflict("This permit was used before.") from error

    def settle(self, sequence: int, *, moved: bool, at: datetime, certain: bool = True) -> None:
        """After the barrier moved or did not."""
        with self._together():
            self._rows.execute(
                "UPDATE outcomes SET moved = ?, certain = ?, at = ? WHERE sequence = ?",
                (moved, certain, at.isoformat(), sequence),
            )

    def unsettled(self) -> list[int]:
        """Permits marked as used whose outcome was never written: the agent died in between."""
        with self._guarded():
            rows = self._rows.execute("SELECT sequence FROM outcomes WHERE moved IS NULL ORDER BY sequence")
            return [row[0] for row in rows]

    def pending_outcomes(self) -> list[Pending]:
        """Settled outcomes that the server does not hold yet, oldest first."""
        with self._guarded():
            rows = self._rows.execute(
                "SELECT sequence, permit_id, gate_id, moved, certain, at FROM outcomes"
                " WHERE moved IS NOT NULL ORDER BY sequence LIMIT 100"
            ).fetchall()
        return [
            Pending(
                sequence,
                Outcome(
                    permit_id=permit_id,
                    gate_id=gate_id,
                    moved=bool(moved),
                    at=datetime.fromisoformat(at),
                    certain=bool(certain),
                ),
            )
            for sequence, permit_id, gate_id, moved, certain, at in rows
        ]

    def forget_outcome(self, sequence: int) -> None:
        """The server holds it."""
        with self._together():
            self._rows.execute("DELETE FROM outcomes WHERE sequence = ?", (sequence,))

    def head(self) -> bytes:
        """The link of the last journal entry ever written."""
        with self._guarded():
            return self._fact("head") or START_OF_CHAIN

    def append(self, sequence: int, entry: Signed, *, undecided: int) -> None:
        """Add a journal entry; `undecided` is the decision that still waits for its outcome, or 0."""
        with self._together():
            self._rows.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?)",
                (sequence, entry.body, entry.signer_id, entry.signature),
            )
            self._keep("head", link_of(entry.body))
            self._keep("undecided", undecided)

    def journal(self, *, most: int) -> list[tuple[int, Signed]]:
        """The oldest entries that the server has not acknowledged."""
        with self._guarded():
            rows = self._rows.execute("SELECT * FROM journal ORDER BY sequence LIMIT ?", (most,)).fetchall()
        return [(sequence, Signed(body, signer, signature)) for sequence, body, signer, signature in rows]

    def link_at(self, sequence: int) -> bytes | None:
        """The link of a waiting entry."""
        with self._guarded():
            row = self._rows.execute("SELECT body FROM journal WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else link_of(row[0])

    def journal_length(self) -> int:
        """How many entries wait."""
        with self._guarded():
            return int(self._rows.execute("SELECT count(*) FROM journal").fetchone()[0])

    def truncate(self, up_to: int) -> None:
        """Forget entries up to a sequence that the server holds."""
        with self._together():
            self._rows.execute("DELETE FROM journal WHERE sequence <= ?", (up_to,))
