"""Where the journal lies until the server holds it."""

from typing import Final

from doorward.core.wire import START_OF_CHAIN, Signed, link_of
from doorward_edge.state.disk import Disk

MOST_SET_ASIDE: Final = 1000


class Chain:
    """Journal entries in order, linked each to the one before, and those that the server could not take."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk

    def journal_key(self) -> bytes | None:
        """The server's public key for journal entries, if a policy ever brought one."""
        return self._disk.fact("journal_key")

    def keep_journal_key(self, key: bytes) -> None:
        """Keep it: an exit must be recorded even after a restart without a server."""
        if self.journal_key() != key:
            with self._disk.together() as rows:
                self._disk.keep(rows, "journal_key", key)

    def head(self) -> bytes:
        """The link of the last journal entry ever written."""
        return self._disk.fact("head") or START_OF_CHAIN

    def append(self, sequence: int, entry: Signed, *, undecided: int | None = None) -> None:
        """Add an entry; `undecided` is the decision that still waits for its outcome, 0 if none does."""
        with self._disk.together() as rows:
            rows.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?)",
                (sequence, entry.body, entry.signer_id, entry.signature),
            )
            self._disk.keep(rows, "head", link_of(entry.body))
            if undecided is not None:
                self._disk.keep(rows, "undecided", undecided)

    def oldest(self, *, most: int) -> list[tuple[int, Signed]]:
        """The oldest entries that the server has not acknowledged."""
        with self._disk.reading() as rows:
            found = rows.execute("SELECT * FROM journal ORDER BY sequence LIMIT ?", (most,)).fetchall()
        return [(sequence, Signed(body, signer, proof)) for sequence, body, signer, proof in found]

    def link_at(self, sequence: int) -> bytes | None:
        """The link of a waiting entry."""
        with self._disk.reading() as rows:
            row = rows.execute("SELECT body FROM journal WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else link_of(row[0])

    def length(self) -> int:
        """How many entries wait."""
        with self._disk.reading() as rows:
            return int(rows.execute("SELECT count(*) FROM journal").fetchone()[0])

    def truncate(self, up_to: int) -> None:
        """Forget entries up to a sequence that the server holds."""
        with self._disk.together() as rows:
            rows.execute("DELETE FROM journal WHERE sequence <= ?", (up_to,))

    def set_aside(self, sequence: int, because: str) -> None:
        """Move an entry out of the way; it stays here for whoever looks into it, the newest thousand."""
        with self._disk.together() as rows:
            rows.execute(
                "INSERT OR REPLACE INTO set_aside SELECT *, ? FROM journal WHERE sequence = ?",
                (because, sequence),
            )
            rows.execute("DELETE FROM journal WHERE sequence = ?", (sequence,))
            rows.execute(
                "DELETE FROM set_aside WHERE sequence NOT IN"
                " (SELECT sequence FROM set_aside ORDER BY sequence DESC LIMIT ?)",
                (MOST_SET_ASIDE,),
            )

    def all_set_aside(self) -> list[tuple[int, str]]:
        """Which entries were moved out of the way, and why."""
        with self._disk.reading() as rows:
            return rows.execute("SELECT sequence, because FROM set_aside ORDER BY sequence").fetchall()
