"""What an agent must still know after its power failed: numbers used, permits used, its journal, keys."""

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import Conflict, Unavailable
from doorward.core.wire import Outcome, Signed
from doorward_edge.state.chain import Chain
from doorward_edge.state.disk import Disk, fact_of
from doorward_edge.state.known_keys import KnownKeys

BLOCK: Final = 64
OBEYED_KEPT: Final = 1000
MOST_DOOR_STATES: Final = 10_000
FOREIGN: Final = (
    "The state file belongs to another agent's key and was left as it is: name another file in state_file."
)


@dataclass(frozen=True, slots=True)
class Pending:
    """An outcome that the server does not hold yet."""

    sequence: int
    outcome: Outcome


class Foreign(Conflict):
    """The file belongs to another key; it was left as it is."""


def require_own(path: Path, key: Ed25519PrivateKey) -> None:
    """`Foreign` if a file there belongs to another key; changes nothing, even while its owner runs."""
    if fact_of(path, "key") not in {None, _fingerprint(key)}:
        raise Foreign(FOREIGN)


def _fingerprint(key: Ed25519PrivateKey) -> bytes:
    return hashlib.sha256(key.public_key().public_bytes_raw()).digest()


class AgentState:
    """One agent's durable memory; one process at a time. Nothing in it names or describes anybody.

    It belongs to one key: numbers that were signed with it once are never given again. A fresh file gives
    no number before `go_on_from`: the server has told the next one, or the operator that the key is new.
    Every change is on disk when its method returns, or `Unavailable` is raised. For several threads.
    Without a path it lasts as long as the process, and is not `is_kept`. `Foreign` for another key's file.
    """

    def __init__(self, path: Path | None, key: Ed25519PrivateKey) -> None:
        if path is not None:
            require_own(path, key)
        self.is_kept = path is not None
        self._disk = Disk(path)
        self.chain = Chain(self._disk)
        self.known_keys = KnownKeys(self._disk)
        self._bind(_fingerprint(key))
        self._reserved = self._next = self._disk.number("sequence")
        self._moving: set[int] = set()

    def _bind(self, fingerprint: bytes) -> None:
        held = self._disk.fact("key")
        if held == fingerprint:
            return
        if held is not None:
            self._disk.close()
            raise Foreign(FOREIGN)
        with self._disk.together() as rows:
            self._disk.keep(rows, "key", fingerprint)
        self._disk.empty_log()

    def close(self) -> None:
        """Let go of the file."""
        self._disk.close()

    @property
    def is_fresh(self) -> bool:
        """Whether nobody has said yet from where to count."""
        return self._reserved == 0 and self._disk.fact("sequence") is None

    def go_on_from(self, number: int) -> None:
        """Count on from here, unless the count is further already."""
        with self._disk.together() as rows:
            if self._disk.fact("sequence") is not None and number <= self._next + 1:
                return
            self._disk.keep(rows, "sequence", number - 1)
            self._reserved = self._next = number - 1

    def next_sequence(self) -> int:
        """A number never given before, not even before a crash; blocks of them are reserved on disk."""
        with self._disk.guarded():
            if self.is_fresh:
                raise Unavailable("The state file is new: the server has yet to tell from where to count.")
            if self._next >= self._reserved:
                with self._disk.together() as rows:
                    self._disk.keep(rows, "sequence", self._reserved + BLOCK)
                self._reserved += BLOCK
            self._next += 1
            return self._next

    def number(self, name: str) -> int:
        """A kept number, 0 if there is none: `last_used`, `undecided`."""
        return self._disk.number(name)

    def mark_used(self, sequence: int, permit_id: str, gate_id: str) -> None:
        """Before the barrier moves: this permit, and every earlier one, is spent. `Conflict` if it was."""
        with self._disk.together() as rows:
            if sequence <= self._disk.number("last_used"):
                raise Conflict("This permit was used before.")
            self._disk.keep(rows, "last_used", sequence)
            _await_outcome(rows, sequence, permit_id, gate_id)
        self._moving.add(sequence)

    def mark_obeyed(self, number: int, permit_id: str, gate_id: str) -> None:
        """Before the barrier moves on staff's word: this permit is spent. `Conflict` if it was.

        They come in answers whose nonce proves them new, so that the latest ones are all there is to know.
        """
        with self._disk.together() as rows:
            if rows.execute("SELECT 1 FROM obeyed WHERE permit_id = ?", (permit_id,)).fetchone():
                raise Conflict("This permit was used before.")
            rows.execute("INSERT INTO obeyed (permit_id) VALUES (?)", (permit_id,))
            rows.execute(
                "DELETE FROM obeyed WHERE number <= (SELECT max(number) FROM obeyed) - ?", (OBEYED_KEPT,)
            )
            _await_outcome(rows, number, permit_id, gate_id)
        self._moving.add(number)

    def settle(self, sequence: int, *, moved: bool, at: datetime, certain: bool = True) -> None:
        """After the barrier moved or did not. If it cannot be kept, it is `unsettled` from now on."""
        self._moving.discard(sequence)
        with self._disk.together() as rows:
            rows.execute(
                "UPDATE outcomes SET moved = ?, certain = ?, at = ? WHERE sequence = ?",
                (moved, certain, at.isoformat(), sequence),
            )

    def unsettled(self) -> list[int]:
        """Permits marked as used whose outcome was never written: the agent died, or its disk was full."""
        with self._disk.reading() as rows:
            found = rows.execute("SELECT sequence FROM outcomes WHERE moved IS NULL ORDER BY sequence")
            return [row[0] for row in found if row[0] not in self._moving]

    def pending_outcomes(self) -> list[Pending]:
        """Settled outcomes that the server does not hold yet, oldest first."""
        with self._disk.reading() as rows:
            found = rows.execute(
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
            for sequence, permit_id, gate_id, moved, certain, at in found
        ]

    def forget_outcome(self, sequence: int) -> None:
        """The server holds it."""
        with self._disk.together() as rows:
            rows.execute("DELETE FROM outcomes WHERE sequence = ?", (sequence,))

    def keep_door_state(self, sequence: int, message: Signed) -> None:
        """Keep what a contact said until the server holds it; of too many the oldest give way."""
        with self._disk.together() as rows:
            rows.execute(
                "INSERT INTO door_states VALUES (?, ?, ?, ?)",
                (sequence, message.body, message.signer_id, message.signature),
            )
            rows.execute(
                "DELETE FROM door_states WHERE sequence NOT IN"
                " (SELECT sequence FROM door_states ORDER BY sequence DESC LIMIT ?)",
                (MOST_DOOR_STATES,),
            )

    def pending_door_states(self) -> list[tuple[int, Signed]]:
        """What contacts said and the server does not hold yet, oldest first."""
        with self._disk.reading() as rows:
            found = rows.execute("SELECT * FROM door_states ORDER BY sequence LIMIT 100").fetchall()
        return [(sequence, Signed(body, signer, proof)) for sequence, body, signer, proof in found]

    def forget_door_state(self, sequence: int) -> None:
        """The server holds it."""
        with self._disk.together() as rows:
            rows.execute("DELETE FROM door_states WHERE sequence = ?", (sequence,))

    def journal_length(self) -> int:
        """How many journal entries wait."""
        return self.chain.length()


def _await_outcome(rows: sqlite3.Connection, sequence: int, permit_id: str, gate_id: str) -> None:
    try:
        rows.execute(
            "INSERT INTO outcomes (sequence, permit_id, gate_id) VALUES (?, ?, ?)",
            (sequence, permit_id, gate_id),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict("This permit was used before.") from error
