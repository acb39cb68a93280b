"""The steps of a rotation: rows move in batches, the end is announced, and only then is a key destroyed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from doorward.audit.service import record
from doorward.audit.service.recording import written
from doorward.core.errors import Conflict, Invalid
from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.rules import WRAPPING, lingers
from doorward.vault.service.keyset import keep_key_set
from doorward.vault.service.movers import Mover, Movers
from doorward.vault.service.ring_content import Ring
from doorward.vault.service.unlocked import Vault

AT_ONCE = 200
IN_KEY_SETS = frozenset({KeyName(Use.SEAL, Purpose.VAULT), *(KeyName(Use.WRAP, one) for one in WRAPPING)})


@dataclass(frozen=True, slots=True)
class Batch:
    """One step towards a generation, each deed in a unit of its own."""

    vault: Vault
    name: KeyName
    movers: Movers
    generation: int
    at_once: int = AT_ONCE

    def move_or_announce(self, unit: Unit) -> int:
        """Move some rows; how many. If none was left, say in the log which generations end.

        No transaction holds the ring: the announcement is committed before anything is destroyed, so that
        whatever fails then, no key goes without an entry.
        """
        late = self._move(unit)
        ends = outlived(self.vault.ring.read(), self.name, self.generation, unit.now)
        if ends and not late:
            record(unit, "vault.key_ends", key=str(self.name), generation=self.generation, ends=ends)
        return late

    def move_or_destroy(self, unit: Unit, moved: int) -> int:
        """The same, but what was announced is destroyed, in the last act of the unit."""
        late = self._move(unit)
        if not late:
            with self.vault.ring.change() as ring:
                for number in outlived(ring, self.name, self.generation, unit.now):
                    ring.destroy(self.name, number)
                self._tell(unit, min(ring.keys[self.name]), moved)
        return late

    def _move(self, unit: Unit) -> int:
        return sum(mover(unit, self.at_once) for mover in movers_of(self.name, self.movers))

    def _tell(self, unit: Unit, oldest: int, moved: int) -> None:
        """Destroy the older generations of a key, once no row lies under them."""
        record(unit, "vault.rotated", key=str(self.name), generation=self.generation, moved=moved)
        if self.name.use is Use.WRAP:
            store.close_receipts(unit.rows, self.name.purpose, oldest, unit.now)
        if self.name in IN_KEY_SETS:
            keep_key_set(unit, self.vault)
        written(unit)


def movers_of(name: KeyName, movers: Movers) -> Sequence[Mover]:
    """How rows under a key move; `Conflict` if no room said so."""
    if name.use is Use.OPEN:
        raise Invalid("The database key is changed by `doorward keys rekey`, not by a rotation.")
    if name.use is Use.SIGN:
        return ()  # nothing lies under a signing key; its public half stays listed
    if name not in movers:
        raise Conflict(f"Nothing says how to move what lies under the key {name}: it was not rotated.")
    return movers[name]


def outlived(ring: Ring, name: KeyName, generation: int, now: datetime) -> list[int]:
    """Generations before this one whose time is over. A newer one may have been begun since: it stays."""
    live = sorted(ring.keys[name])
    followers = dict(pairwise(live))
    return [
        number
        for number in live
        if number < generation and not lingers(name, ring.made_at.get((name, followers[number])), now)
    ]
