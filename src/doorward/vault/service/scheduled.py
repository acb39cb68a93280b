"""What the schedule does about keys by itself: begin what is due, go on with what was begun."""

from datetime import datetime, timedelta

from doorward.core.errors import DoorwardError
from doorward.platform.db import Database, Unit
from doorward.vault import store
from doorward.vault.model import KeyName, Use
from doorward.vault.rules import GUESSABLE, WRAPPING, is_as_old, is_ratchet_due
from doorward.vault.service.batches import AT_ONCE, outlived
from doorward.vault.service.movers import Movers
from doorward.vault.service.rotation import DATABASE, begin, rotate_database_key, turn
from doorward.vault.service.unlocked import Vault

# Batches of a turn and rows of a batch, each of which takes some 20 ms: others write between two.
TURNS = {Use.WRAP: (10, AT_ONCE), Use.BLIND: (8, 25)}
GENTLY = (4, 25)


def half_done(vault: Vault, now: datetime) -> list[KeyName]:
    """Keys of which an older generation is left that need not linger."""
    ring = vault.ring.read()
    return [name for name in sorted(ring.keys) if outlived(ring, name, ring.newest(name), now)]


def turn_half_done(database: Database, vault: Vault, movers: Movers) -> int:
    """For the schedule: some batches of each rotation that is half done, the ratchet first; how many rows.

    One that cannot go on holds up no other; what stopped it is raised at the end.
    """
    moved, failures = 0, list[DoorwardError]()
    waiting = half_done(vault, database.clock())
    for name in sorted(waiting, key=lambda name: name.use is not Use.WRAP):
        try:
            moved += _turn_some(database, vault, name, movers)
        except DoorwardError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return moved


class Restorer:
    """For the schedule: look-ups whose key is gone are made anew, as in a copy that was restored.

    What they are of is sealed beside them by keys that a copy keeps, or gets back from its key set. Copies
    are restored while nothing runs: once all is well it stays so.
    """

    def __init__(self) -> None:
        self._well: set[KeyName] = set()

    def look(self, database: Database, vault: Vault, movers: Movers) -> int:
        """Some batches of each kind; how many rows."""
        moved = 0
        for name in sorted(movers):
            if name.use is Use.BLIND and name not in self._well:
                late = _turn_some(database, vault, name, movers)
                self._well |= set() if late else {name}
                moved += late
        return moved


def _turn_some(database: Database, vault: Vault, name: KeyName, movers: Movers) -> int:
    if name == DATABASE:
        rotate_database_key(database, vault)
        return 0
    moved, (batches, at_once) = 0, TURNS.get(name.use, GENTLY)
    for _ in range(batches):
        late = turn(database, vault, name, movers, moved=moved, at_once=at_once)
        moved += late
        if not late:
            break
    return moved


def begin_due_ratchets(unit: Unit, vault: Vault, movers: Movers) -> list[KeyName]:
    """For the schedule: turn on where an erased subject may lie open in a copy; erasures share a turn."""
    begun = []
    for purpose in WRAPPING:
        name = KeyName(Use.WRAP, purpose)
        ring = vault.ring.read()
        made_at = ring.made_at.get((name, ring.newest(name)))
        if len(ring.keys[name]) > 1 or not is_ratchet_due(made_at, unit.now):
            continue
        if store.list_unclosed(unit.rows, purpose):
            begin(unit, vault, name, movers)
            begun.append(name)
    return begun


def begin_due_lookups(unit: Unit, vault: Vault, movers: Movers, *, age: timedelta) -> KeyName | None:
    """For the schedule: replace the first key of look-ups that reached this age, one after the other.

    From then on nobody guesses names and plates from an older copy of the database and today's ring.
    """
    if half_done(vault, unit.now):
        return None
    ring = vault.ring.read()
    for name in GUESSABLE:
        if is_as_old(ring.made_at.get((name, ring.newest(name))), unit.now, age):
            begin(unit, vault, name, movers)
            return name
    return None
