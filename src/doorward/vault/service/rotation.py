"""Changing every key while Doorward runs: a new generation, rows moved in batches, the old one destroyed."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from doorward.audit.service import record
from doorward.audit.service.recording import written
from doorward.core.errors import Conflict, Invalid, Unavailable
from doorward.core.permissions import EVERY_SITE, Actor, system_actor
from doorward.platform.db import Database, Unit
from doorward.platform.engine import rekey
from doorward.vault import store
from doorward.vault.model import KeyName, KeyState, Purpose, Use
from doorward.vault.ports import Custodian
from doorward.vault.rules import LINGERS, WRAPPING, is_ratchet_due, lingers
from doorward.vault.service.keyset import keep_key_set
from doorward.vault.service.movers import Counters, Mover, Movers, vault_movers
from doorward.vault.service.ring_content import Ring
from doorward.vault.service.unlocked import Vault

AT_ONCE = 200
ATTEMPTS = 10
ROTATOR = system_actor("vault")
DATABASE = KeyName(Use.OPEN, Purpose.DATABASE)
IN_KEY_SETS = frozenset({KeyName(Use.SEAL, Purpose.VAULT), *(KeyName(Use.WRAP, one) for one in WRAPPING)})


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

    def next_batch(unit: Unit) -> int:
        return turn(unit, vault, name, movers, moved=moved)

    while late := _patiently(database, actor, next_batch):
        moved += late
        if watch is not None:
            watch(late)
        if most is not None and moved >= most:
            return Rotation(name, generation, moved, done=False)
    return Rotation(name, generation, moved)


def begin(unit: Unit, vault: Vault, name: KeyName, movers: Movers) -> int:
    """Add a generation, unless a rotation is half done; the generation in use from now on."""
    _require_movers(name, movers)
    with vault.ring.change() as ring:
        if len(ring.keys[name]) == 1 or name in LINGERS:
            record(unit, "vault.rotation_begun", key=str(name), generation=ring.add(name, unit.now))
        generation = ring.newest(name)
    vault.list_publics()
    return generation


def turn(unit: Unit, vault: Vault, name: KeyName, movers: Movers, *, moved: int = 0) -> int:
    """Move one batch; how many rows. 0 says that all were moved and the older generations are destroyed."""
    generation = vault.newest(
        name
    )  # before the movers look: one that is begun meanwhile is not finished here
    late = sum(mover(unit, AT_ONCE) for mover in _require_movers(name, movers))
    if not late and _retire(vault, name, generation, unit.now):
        record(unit, "vault.rotated", key=str(name), generation=generation, moved=moved)
        if name in IN_KEY_SETS:
            keep_key_set(unit, vault)
    return late


def turn_half_done(database: Database, vault: Vault, movers: Movers) -> int:
    """For the schedule: one batch of the first rotation that is half done; how many rows."""
    waiting = half_done(vault, database.clock())
    if not waiting:
        return 0
    if waiting[0] == DATABASE:
        rotate_database_key(database, vault)
        return 0
    with database.unit(ROTATOR, EVERY_SITE) as unit:
        return turn(unit, vault, waiting[0], movers)


def half_done(vault: Vault, now: datetime) -> list[KeyName]:
    """Keys of which an older generation is left that need not linger."""
    ring = vault.ring.read()
    return [name for name in sorted(ring.keys) if _outlived(ring, name, ring.newest(name), now)]


def begin_due_ratchets(unit: Unit, vault: Vault, movers: Movers) -> list[KeyName]:
    """For the schedule: turn on where somebody was erased since the last turn, a day ago or longer."""
    begun = []
    for purpose in WRAPPING:
        name = KeyName(Use.WRAP, purpose)
        ring = vault.ring.read()
        made_at = ring.made_at.get((name, ring.newest(name)))
        if len(ring.keys[name]) > 1 or not is_ratchet_due(made_at, unit.now):
            continue
        if store.was_erased_since(unit.rows, purpose, made_at):
            begin(unit, vault, name, movers)
            begun.append(name)
    return begun


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
        change_root(unit, vault, custodian)


def change_root(unit: Unit, vault: Vault, custodian: Custodian) -> None:
    """The same in the caller's unit. Processes that run on are handed the new root."""
    record(unit, "vault.root_rotated")
    written(unit)  # a database that cannot tell of it leaves the ring alone
    vault.ring.rewrap(custodian)


def rotate_database_key(database: Database, vault: Vault, *, actor: Actor = ROTATOR) -> int:
    """Re-encrypt the SQLCipher file under a new key while it is open; cut short, call it again.

    Both keys stay in the ring until the file is known to be under the new one. `Unavailable` when other
    writers leave no room; `Invalid` on PostgreSQL, whose files we do not encrypt.
    """
    if database.engine.dialect.name != "sqlite":
        raise Invalid("PostgreSQL's files are not ours to encrypt: rotate the key of its disk.")
    now = database.clock()
    with vault.ring.change() as ring:
        if len(ring.keys[DATABASE]) == 1:
            ring.add(DATABASE, now)
        generation = ring.newest(DATABASE)
    key = vault.database_keys()[0]
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable):
            rekey(database.engine, key)
            break
    else:
        rekey(database.engine, key)
    _retire(vault, DATABASE, generation, now)

    def note(unit: Unit) -> int:
        return record(unit, "vault.database_rekeyed", generation=generation)

    _patiently(database, actor, note)
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


def _require_movers(name: KeyName, movers: Movers) -> Sequence[Mover]:
    if name.use is Use.OPEN:
        raise Invalid("The database key is changed by `doorward keys rekey`, not by a rotation.")
    if name.use is Use.SIGN:
        return ()  # nothing lies under a signing key; its public half stays listed
    if name not in movers:
        raise Conflict(f"Nothing says how to move what lies under the key {name}: it was not rotated.")
    return movers[name]


def _retire(vault: Vault, name: KeyName, generation: int, now: datetime) -> list[int]:
    """Destroy what is older than this generation; which ones. A newer one may have been begun: it stays."""
    with vault.ring.change() as ring:
        gone = _outlived(ring, name, generation, now)
        for number in gone:
            ring.destroy(name, number)
    return gone


def _outlived(ring: Ring, name: KeyName, generation: int, now: datetime) -> list[int]:
    """Generations before this one whose time is over."""
    live = sorted(ring.keys[name])
    followers = dict(pairwise(live))
    return [
        number
        for number in live
        if number < generation and not lingers(name, ring.made_at.get((name, followers[number])), now)
    ]


def _patiently(database: Database, actor: Actor, deed: Callable[[Unit], int]) -> int:
    """One unit of its own; a rotation yields to busy writers several times before it gives up."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable), database.unit(actor, EVERY_SITE) as unit:
            return deed(unit)
    with database.unit(actor, EVERY_SITE) as unit:
        return deed(unit)
