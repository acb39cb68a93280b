"""Changing every key while Doorward runs: a new generation, rows moved in batches, the old one destroyed."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from doorward.audit.service import record
from doorward.audit.service.recording import written
from doorward.core.errors import Invalid, Unavailable
from doorward.core.permissions import EVERY_SITE, Actor, system_actor
from doorward.platform.db import Database, Unit
from doorward.platform.engine import rekey
from doorward.vault.model import KeyName, KeyState, Purpose, Use
from doorward.vault.ports import Custodian
from doorward.vault.rules import LINGERS
from doorward.vault.service.batches import AT_ONCE, Batch, movers_of, outlived
from doorward.vault.service.movers import Counters, Movers, vault_movers
from doorward.vault.service.ring import NextRoot
from doorward.vault.service.unlocked import Vault

ATTEMPTS = 10
ROTATOR = system_actor("vault")
DATABASE = KeyName(Use.OPEN, Purpose.DATABASE)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did; unless `done`, it goes on with the schedule or at the next call."""

    name: KeyName
    generation: int
    moved: int
    done: bool = True


def rotate(
    database: Database,
    vault: Vault,
    name: KeyName,
    movers: Movers,
    *,
    actor: Actor = ROTATOR,
    most: int | None = None,
    watch: Callable[[int], None] | None = None,
) -> Rotation:
    """Replace a key while others work; a rotation that was cut short is taken up where it stopped.

    Reads use every live generation and writes the newest, so nothing waits. The old generations are
    destroyed in a unit that holds the only writer's place and has seen that no row is left under them.
    Stops after `most` rows; `watch` hears of each batch. `Conflict` if no room said how to move what lies
    under the key.
    """
    begin_rotation(database, vault, name, movers, actor=actor)
    return finish_rotation(database, vault, name, movers, actor=actor, most=most, watch=watch)


def begin_rotation(
    database: Database, vault: Vault, name: KeyName, movers: Movers, *, actor: Actor = ROTATOR
) -> int:
    """Only add the new generation, which is used from now on; its number."""
    return _patiently(database, actor, lambda unit: begin(unit, vault, name, movers))


def finish_rotation(
    database: Database,
    vault: Vault,
    name: KeyName,
    movers: Movers,
    *,
    actor: Actor = ROTATOR,
    most: int | None = None,
    watch: Callable[[int], None] | None = None,
) -> Rotation:
    """Only move what lies under older generations, and destroy those."""
    generation, moved = vault.newest(name), 0
    while late := turn(database, vault, name, movers, actor=actor, moved=moved):
        moved += late
        if watch is not None:
            watch(late)
        if most is not None and moved >= most:
            return Rotation(name, generation, moved, done=False)
    return Rotation(name, generation, moved)


def begin(unit: Unit, vault: Vault, name: KeyName, movers: Movers) -> int:
    """Add a generation, unless a rotation is half done; the generation in use from now on."""
    movers_of(name, movers)
    with vault.ring.change() as ring:
        if len(ring.keys[name]) == 1 or name in LINGERS:
            generation = ring.add(name, unit.now)
            record(unit, "vault.rotation_begun", key=str(name), generation=generation)
            written(unit)  # a database that cannot tell of it leaves the ring alone
        generation = ring.newest(name)
    vault.list_publics()
    return generation


def turn(
    database: Database,
    vault: Vault,
    name: KeyName,
    movers: Movers,
    *,
    actor: Actor = ROTATOR,
    moved: int = 0,
    at_once: int = AT_ONCE,
) -> int:
    """Move one batch; how many rows. 0 says that all were moved and the older generations are destroyed."""
    # Before the movers look: a generation that is begun meanwhile is not finished here.
    batch = Batch(vault, name, movers, vault.newest(name), at_once)
    late = _patiently(database, actor, batch.move_or_announce)
    if late or not outlived(vault.ring.read(), name, batch.generation, database.clock()):
        return late
    return _patiently(database, actor, lambda unit: batch.move_or_destroy(unit, moved))


def ratchet(
    database: Database, vault: Vault, purpose: Purpose = Purpose.PEOPLE, *, actor: Actor = ROTATOR
) -> Rotation:
    """Rotate the key that wraps data keys, so that no older copy of the database opens anybody.

    The living come back from such a copy through today's key set, which is written beside the ring; the
    erased do not.
    """
    return rotate(database, vault, KeyName(Use.WRAP, purpose), vault_movers(vault), actor=actor)


def rotate_root(database: Database, vault: Vault, custodian: Custodian, *, actor: Actor = ROTATOR) -> None:
    """Put the key ring under another root key; the keys in it stay, so no row changes."""
    with database.unit(actor, EVERY_SITE) as unit:
        following = announce_root(unit, vault, custodian)
    with database.unit(actor, EVERY_SITE) as unit:
        change_root(unit, vault, following)


def announce_root(unit: Unit, vault: Vault, custodian: Custodian) -> NextRoot:
    """Make the next root key, and say in the log from which ring to which it will lead.

    This unit is committed before `change_root`: whatever fails then, no root changes without an entry, and
    whether it changed tells the ring's id.
    """
    following = vault.ring.prepare(custodian)
    kind = str(following.custody["kind"])
    record(unit, "vault.root_ends", ring=following.former, next=following.ring_id, custodian=kind)
    return following


def change_root(unit: Unit, vault: Vault, following: NextRoot) -> None:
    """Put the ring under the root that was announced. Processes that run on are handed it."""
    record(unit, "vault.root_rotated", ring=following.ring_id)
    written(unit)  # a database that cannot tell of it leaves the ring alone
    vault.ring.rewrap(following)


def rotate_database_key(database: Database, vault: Vault, *, actor: Actor = ROTATOR) -> int:
    """Re-encrypt the SQLCipher file under a new key while it is open; cut short, call it again.

    Both keys stay in the ring until the file is known to be under the new one. `Unavailable` when other
    writers leave no room; `Invalid` on PostgreSQL, whose files we do not encrypt.
    """
    if database.engine.dialect.name != "sqlite":
        raise Invalid("PostgreSQL's files are not ours to encrypt: rotate the key of its disk.")
    generation = _patiently(database, actor, lambda unit: _begin_rekeying(unit, vault))
    key = vault.database_keys()[0]
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable):
            rekey(database.engine, key)
            break
    else:
        rekey(database.engine, key)
    _patiently(database, actor, lambda unit: _announce_rekeyed(unit, vault, generation))
    return _patiently(database, actor, lambda unit: _end_rekeying(unit, vault, generation))


def _begin_rekeying(unit: Unit, vault: Vault) -> int:
    with vault.ring.change() as ring:
        if len(ring.keys[DATABASE]) == 1:
            generation = ring.add(DATABASE, unit.now)
            record(unit, "vault.rotation_begun", key=str(DATABASE), generation=generation)
            written(unit)
        return ring.newest(DATABASE)


def _announce_rekeyed(unit: Unit, vault: Vault, generation: int) -> int:
    ends = outlived(vault.ring.read(), DATABASE, generation, unit.now)
    if ends:
        record(unit, "vault.key_ends", key=str(DATABASE), generation=generation, ends=ends)
    return generation


def _end_rekeying(unit: Unit, vault: Vault, generation: int) -> int:
    with vault.ring.change() as ring:
        record(unit, "vault.database_rekeyed", generation=generation)
        written(unit)
        for number in outlived(ring, DATABASE, generation, unit.now):
            ring.destroy(DATABASE, number)
    return generation


def survey(unit: Unit, vault: Vault, movers: Movers, counters: Counters) -> list[KeyState]:
    """Every key by name: live generations, age of the newest, and what still lies under older ones."""
    ring, found = vault.ring.read(), []
    for name, generations in sorted(ring.keys.items()):
        live = tuple(sorted(generations, reverse=True))
        counter = counters.get(name) if len(live) > 1 else None
        left = counter(unit) if counter else 0
        movable = name.use in (Use.SIGN, Use.OPEN) or name in movers
        found.append(KeyState(name, live, ring.made_at.get((name, live[0])), left, movable))
    return found


def _patiently(database: Database, actor: Actor, deed: Callable[[Unit], int]) -> int:
    """One unit of its own; a rotation yields to busy writers several times before it gives up."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable), database.unit(actor, EVERY_SITE) as unit:
            return deed(unit)
    with database.unit(actor, EVERY_SITE) as unit:
        return deed(unit)
