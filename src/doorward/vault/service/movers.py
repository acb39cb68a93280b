"""What the vault itself keeps under keys that rotate: how its rows move, and how many still have to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.rules import IDLE, WRAPPING
from doorward.vault.service.photos import reseal_photos
from doorward.vault.service.subjects import rewrapped
from doorward.vault.service.unlocked import Vault, header_of

# Moves at most so many rows, of every site, to the newest generation and returns how many it moved.
# It must move nothing, and return 0, once every row is there.
Mover = Callable[[Unit, int], int]
Movers = Mapping[KeyName, Sequence[Mover]]
# How many rows, of every site, still lie under an older generation.
Counter = Callable[[Unit], int]
Counters = Mapping[KeyName, Counter]

PHOTOS = KeyName(Use.SEAL, Purpose.PHOTOS)
ANSWERS = KeyName(Use.SEAL, Purpose.ANSWERS)


@dataclass(frozen=True, slots=True)
class Keepers:
    """Everything that every room keeps under keys."""

    movers: Movers = field(default_factory=dict)
    counters: Counters = field(default_factory=dict)


def vault_movers(vault: Vault) -> dict[KeyName, tuple[Mover, ...]]:
    """Movers of the vault's own rows; other rooms add theirs for the fields and look-ups they keep.

    An empty tuple says that nothing is stored under a key, so that it may be retired at once.
    """
    wrapped = {KeyName(Use.WRAP, purpose): (partial(_rewrap, vault, purpose),) for purpose in WRAPPING}
    kept = {PHOTOS: (partial(_reseal_photos, vault),), ANSWERS: (partial(_reseal_answers, vault),)}
    files = {KeyName(Use.SEAL, Purpose.VAULT): (), KeyName(Use.SEAL, Purpose.AUDIT): ()}
    return {**dict.fromkeys(IDLE, ()), **wrapped, **kept, **files}


def vault_counters(vault: Vault) -> dict[KeyName, Counter]:
    """Counts of the vault's own rows."""

    def wrapped(purpose: Purpose) -> Counter:
        name = KeyName(Use.WRAP, purpose)
        return lambda unit: store.count_old_keys(unit.rows, purpose, vault.newest(name))

    return {
        **{KeyName(Use.WRAP, purpose): wrapped(purpose) for purpose in WRAPPING},
        PHOTOS: lambda unit: store.count_old_photos(unit.rows, vault.newest(PHOTOS)),
        ANSWERS: lambda unit: store.count_old_answers(unit.rows, header_of(vault.newest(ANSWERS))),
    }


def _rewrap(vault: Vault, purpose: Purpose, unit: Unit, limit: int) -> int:
    old = store.list_old_keys(unit.rows, purpose, vault.newest(KeyName(Use.WRAP, purpose)), limit)
    store.change_keys(unit.rows, [rewrapped(vault, key) for key in old])
    return len(old)


def _reseal_photos(vault: Vault, unit: Unit, limit: int) -> int:
    return reseal_photos(unit, vault, vault.newest(PHOTOS), limit)


def _reseal_answers(vault: Vault, unit: Unit, limit: int) -> int:
    old = store.list_old_answers(unit.rows, header_of(vault.newest(ANSWERS)), limit)
    for row_id, answer in old:
        store.change_answer(unit.rows, row_id, vault.seal_answer(row_id, vault.unseal_answer(row_id, answer)))
    return len(old)
