"""Moving the look-ups of people and vehicles to the newest key, while Doorward runs."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from doorward.people.rules import one_form_of_name, one_form_of_number
from doorward.people.service.looking_up import lookup_of, mark
from doorward.people.store import lookups
from doorward.platform.db import Unit
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.service import Counter, Mover, Vault, open_key

FORMS: dict[Purpose, Callable[[str], str]] = {
    Purpose.BLIND_NAME: one_form_of_name,
    Purpose.BLIND_ID_NUMBER: one_form_of_number,
    Purpose.BLIND_CARD: str,
    Purpose.BLIND_QR: str,
    Purpose.BLIND_PLATE: str,
}


def lookup_movers(vault: Vault) -> dict[KeyName, tuple[Mover, ...]]:
    """Movers for `vault.service.rotate`; nothing lies under the key for PINs, whose peppers are sealed."""
    movers: dict[KeyName, tuple[Mover, ...]] = {
        KeyName(Use.BLIND, purpose): (partial(_move, vault, purpose),) for purpose in FORMS
    }
    return movers | {KeyName(Use.BLIND, Purpose.BLIND_PIN): ()}


def lookup_counters(vault: Vault) -> dict[KeyName, Counter]:
    """How many look-ups still lie under older keys."""
    return {KeyName(Use.BLIND, purpose): partial(_count, vault, purpose) for purpose in FORMS}


def _count(vault: Vault, purpose: Purpose, unit: Unit) -> int:
    return lookups.count_old(unit.rows, purpose, mark(vault.newest(KeyName(Use.BLIND, purpose))))


def _move(vault: Vault, purpose: Purpose, unit: Unit, limit: int) -> int:
    newest = vault.newest(KeyName(Use.BLIND, purpose))
    old = lookups.list_old(unit.rows, purpose, mark(newest), limit)
    for one in old:
        key = open_key(replace(unit, site_id=one.site_id), vault, one.subject_id)
        value = FORMS[purpose](key.unseal(one.place, one.sealed).decode())
        lookups.change_lookup(unit.rows, purpose, one.row_id, lookup_of(vault, purpose, value))
    return len(old)
