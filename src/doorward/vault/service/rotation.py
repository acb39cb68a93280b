"""Changing every key while Doorward runs: a new generation, rows moved in batches, the old one destroyed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from doorward.audit.service import record
from doorward.core.errors import Conflict, Invalid, Unavailable
from doorward.core.permissions import EVERY_SITE, Actor, system_actor
from doorward.platform.db import Database, Unit
from doorward.platform.engine import rekey
from doorward.vault import store
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.ports import Custodian
from doorward.vault.service.photos import reseal_photos
from doorward.vault.service.subjects import rewrapped
from doorward.vault.service.unlocked import Vault, generation_of

# Moves at most so many rows, of every site, to the newest generation and returns how many it moved.
# It must move nothing, and return 0, once every row is there.
Mover = Callable[[Unit, int], int]
Movers = Mapping[KeyName, Sequence[Mover]]

AT_ONCE = 200
ATTEMPTS = 10
ROTATOR = system_actor("vault")


@dataclass(frozen=True, slots=True)
class Rotation:
    """What a rotation did."""

    name: KeyName
    generation: int
    moved: int


def vault_movers(vault: Vault) -> dict[KeyName, tuple[Mover, ...]]:
    """Movers of the vault's own rows; other rooms add theirs for the fields and look-ups they keep.

    An empty tuple says that nothing is stored under a key, so that it may be retired at once.
    """

    def rewrap(purpose: Purpose) -> Mover:
        return lambda unit, limit: _rewrap(unit, vault, purpose, limit)

    return {
        KeyName(Use.WRAP, Purpose.PEOPLE): (rewrap(Purpose.PEOPLE),),
        KeyName(Use.WRAP, Purpose.PLATES): (rewrap(Purpose.PLATES),),
        KeyName(Use.SEAL, Purpose.PHOTOS): (lambda unit, limit: _reseal_photos(unit, vault, limit),),
        KeyName(Use.SEAL, Purpose.ANSWERS): (lambda unit, limit: _reseal_answers(unit, vault, limit),),
        KeyName(Use.SEAL, Purpose.VAULT): (),
        KeyName(Use.SEAL, Purpose.AUDIT): (),
    }


def rotate(
    database: Database, vault: Vault, name: KeyName, movers: Movers, *, actor: Actor = ROTATOR
) -> Rotation:
    """Replace a key while others work; a rotation that was cut short is taken up where it stopped.

    Reads use every live generation and writes the newest, so nothing waits. The old generations are
    destroyed in a unit that holds the only writer's place and has seen that no row is left under them.
    `Conflict` if no room said how to move what lies under the key.
    """
    mine = _require_movers(name, movers)
    generation = _begin(vault, name)
    moved = sum(_move_all(database, mover, actor) for mover in mine)

    def finish(unit: Unit) -> int:
        late = sum(mover(unit, AT_ONCE) for mover in mine)
        if not late:
            record(unit, "vault.rotated", key=str(name), generation=generation, moved=moved)
            _retire(vault, name, generation)
        return late

    while late := _patiently(database, actor, finish):
        moved += late
    return Rotation(name, generation, moved)


def ratchet(
    database: Database, vault: Vault, purpose: Purpose = Purpose.PEOPLE, *, actor: Actor = ROTATOR
) -> Rotation:
    """Rotate the key that wraps data keys, so that no older copy of the database opens anybody.

    The living come back from such a copy through today's key set (`export_key_set`); the erased do not.
    """
    return rotate(database, vault, KeyName(Use.WRAP, purpose), vault_movers(vault), actor=actor)


def rotate_root(database: Database, vault: Vault, custodian: Custodian, *, actor: Actor = ROTATOR) -> None:
    """Put the key ring under another root key; the keys in it stay, so no row changes."""
    with database.unit(actor, EVERY_SITE) as unit:
        record(unit, "vault.root_rotated")
        vault.ring.rewrap(custodian)


def rotate_database_key(database: Database, vault: Vault, *, actor: Actor = ROTATOR) -> None:
    """Re-encrypt the SQLCipher file under a new key while it is open; cut short, call it again.

    Both keys stay in the ring until the file is known to be under the new one. `Unavailable` when other
    writers leave no room; `Invalid` on PostgreSQL, whose files we do not encrypt.
    """
    if database.engine.dialect.name != "sqlite":
        raise Invalid("PostgreSQL's files are not ours to encrypt: rotate the key of its disk.")
    name = KeyName(Use.OPEN, Purpose.DATABASE)
    generation = _begin(vault, name)
    key = vault.database_keys()[0]
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable):
            rekey(database.engine, key)
            break
    else:
        rekey(database.engine, key)
    _retire(vault, name, generation)

    def note(unit: Unit) -> int:
        return record(unit, "vault.database_rekeyed", generation=generation)

    _patiently(database, actor, note)


def _require_movers(name: KeyName, movers: Movers) -> Sequence[Mover]:
    if name.use is Use.OPEN:
        raise Invalid("The database key is changed by `doorward vault rekey`, not by a rotation.")
    if name.use is Use.SIGN:
        return ()  # nothing lies under a signing key; its public half stays listed
    if name not in movers:
        raise Conflict(f"Nothing says how to move what lies under the key {name}: it was not rotated.")
    return movers[name]


def _begin(vault: Vault, name: KeyName) -> int:
    with vault.ring.change() as ring:
        if len(ring.keys[name]) == 1:
            ring.add(name)
        generation = ring.newest(name)
    vault.list_publics()
    return generation


def _retire(vault: Vault, name: KeyName, generation: int) -> None:
    with vault.ring.change() as ring:
        ring.keys[name] = {generation: ring.keys[name][generation]}


def _move_all(database: Database, mover: Mover, actor: Actor) -> int:
    total = 0
    while True:
        moved = _patiently(database, actor, lambda unit: mover(unit, AT_ONCE))
        if not moved:
            return total
        total += moved


def _patiently(database: Database, actor: Actor, deed: Callable[[Unit], int]) -> int:
    """One unit of its own; a rotation yields to busy writers several times before it gives up."""
    for _ in range(ATTEMPTS - 1):
        with suppress(Unavailable), database.unit(actor, EVERY_SITE) as unit:
            return deed(unit)
    with database.unit(actor, EVERY_SITE) as unit:
        return deed(unit)


def _rewrap(unit: Unit, vault: Vault, purpose: Purpose, limit: int) -> int:
    old = store.list_old_keys(unit.rows, purpose, vault.newest(KeyName(Use.WRAP, purpose)), limit)
    for key in old:
        store.change_key(unit.rows, rewrapped(vault, key))
    return len(old)


def _reseal_photos(unit: Unit, vault: Vault, limit: int) -> int:
    return reseal_photos(unit, vault, vault.newest(KeyName(Use.SEAL, Purpose.PHOTOS)), limit)


def _reseal_answers(unit: Unit, vault: Vault, limit: int) -> int:
    newest = vault.newest(KeyName(Use.SEAL, Purpose.ANSWERS))
    old = [
        (row_id, answer)
        for row_id, answer in store.list_answers(unit.rows)
        if generation_of(answer) != newest
    ][:limit]
    for row_id, answer in old:
        store.change_answer(unit.rows, row_id, vault.seal_answer(row_id, vault.unseal_answer(row_id, answer)))
    return len(old)
