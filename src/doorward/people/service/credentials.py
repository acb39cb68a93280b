"""Cards, QR codes and PINs: the equal path of whoever wants no face enrolled."""

import secrets
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from doorward.audit.service import record
from doorward.core.encoding import to_text
from doorward.core.errors import Conflict, Invalid, NotFound, Tampered
from doorward.core.ids import new_id
from doorward.people.model import PinCheck
from doorward.people.rules import locked_for, one_form_of_number, require_strong_pin
from doorward.people.service.looking_up import lookup_of, lookups_of
from doorward.people.service.persons import get_person
from doorward.people.service.recogniser import Recogniser, announce, note_unreadable
from doorward.people.store import credentials as store
from doorward.people.store.credentials import CredentialRow, Pin
from doorward.platform.db import Unit
from doorward.vault.model import Place, Purpose
from doorward.vault.service import Vault, open_key, open_keys, seal_for

TABLE = "people_credentials"
BLINDS = {"card": Purpose.BLIND_CARD, "qr": Purpose.BLIND_QR}
# A PIN is short. The pepper is sealed under the person's own key, so a stolen table is useless and an erased
# person's PIN is gone. No hash protects four digits from whoever has the key too, so this one is light: it is
# computed while the unit holds the only writer's place.
PEPPER_BYTES = 16
PIN_HASHER = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


def add_card(unit: Unit, vault: Vault, person_id: str, number: str) -> str:
    """Give somebody a card; its id. `Conflict` if another person holds it."""
    get_person(unit, person_id)
    form = one_form_of_number(number)
    if find_by_card(unit, vault, form) is not None:
        raise Conflict("Somebody holds this card already: take it from them first.")
    return _add(unit, vault, person_id, "card", form)


def issue_qr(unit: Unit, vault: Vault, person_id: str) -> str:
    """A fresh code with 128 random bits, told this once; former codes of this person stop working."""
    get_person(unit, person_id)
    for old in store.list_credentials(unit.rows, unit.site_id, person_id):
        if old.kind == "qr":
            store.forget_credential(unit.rows, unit.site_id, person_id, old.id)
    token = to_text(secrets.token_bytes(16))
    _add(unit, vault, person_id, "qr", token)
    return token


def remove_credential(unit: Unit, person_id: str, credential_id: str) -> None:
    """A card or code that stops working at once."""
    if not store.forget_credential(unit.rows, unit.site_id, person_id, credential_id):
        raise NotFound("This person has no such card or code.")
    announce(unit, person_id)
    record(unit, "credential.removed", subject_id=person_id, credential=credential_id)


def set_pin(unit: Unit, vault: Vault, person_id: str, pin: str, *, duress: str | None = None) -> None:
    """Set a PIN, and one to use under duress that opens alike and raises a silent alarm."""
    get_person(unit, person_id)
    require_strong_pin(pin)
    if duress is not None and require_strong_pin(duress) == pin:
        raise Invalid("The PIN for duress must differ from the usual one.")
    pepper = secrets.token_bytes(PEPPER_BYTES)
    kept = Pin(
        seal_for(unit, vault, person_id, _pepper_place(person_id), pepper),
        PIN_HASHER.hash(pepper + pin.encode()),
        PIN_HASHER.hash(pepper + duress.encode()) if duress is not None else None,
        wrong=0,
        locked_until=None,
    )
    store.put_pin(unit.rows, unit.site_id, person_id, kept)
    record(unit, "pin.set", subject_id=person_id, duress=duress is not None)


def remove_pin(unit: Unit, person_id: str) -> None:
    """A PIN that stops working at once, and the one for duress with it."""
    get_person(unit, person_id)
    if not store.forget_pin(unit.rows, person_id):
        raise NotFound("This person has no PIN.")
    record(unit, "pin.removed", subject_id=person_id)


def has_pin(unit: Unit, person_id: str) -> bool:
    """Whether a PIN is set."""
    return store.find_pin(unit.rows, unit.site_id, person_id) is not None


def check_pin(unit: Unit, vault: Vault, person_id: str, pin: str) -> PinCheck:
    """What a PIN is worth; every fifth wrong one in a row locks it, each time for longer.

    The count is kept in this unit, so the caller commits it whatever the answer.
    """
    kept = store.find_pin(unit.rows, unit.site_id, person_id)
    if kept is None:
        return PinCheck.WRONG
    if kept.locked_until is not None and unit.now < kept.locked_until:
        return PinCheck.LOCKED
    pepper = open_key(unit, vault, person_id).unseal(_pepper_place(person_id), kept.pepper)
    right, forced = (_is(hashed, pepper + pin.encode()) for hashed in (kept.pin_hash, kept.duress_hash))
    if right or forced:
        store.count_wrong_pin(unit.rows, person_id, 0, None)
        return PinCheck.DURESS if forced else PinCheck.RIGHT
    locked = locked_for(kept.wrong + 1)
    store.count_wrong_pin(unit.rows, person_id, kept.wrong + 1, unit.now + locked if locked else None)
    if locked is None:
        return PinCheck.WRONG
    record(unit, "pin.locked", subject_id=person_id, minutes=int(locked.total_seconds() // 60))
    return PinCheck.LOCKED


def find_by_card(unit: Unit, vault: Vault, number: str) -> str | None:
    """Who holds this card; None for nobody, or for what cannot be a card."""
    try:
        form = one_form_of_number(number)
    except Invalid:
        return None
    return store.find_holder(unit.rows, unit.site_id, "card", lookups_of(vault, Purpose.BLIND_CARD, form))


def find_by_qr(unit: Unit, vault: Vault, token: str) -> str | None:
    """Whose code this is."""
    return store.find_holder(unit.rows, unit.site_id, "qr", lookups_of(vault, Purpose.BLIND_QR, token))


def list_credentials(unit: Unit, person_id: str) -> list[tuple[str, str]]:
    """Id and kind of each card and code of a person."""
    get_person(unit, person_id)
    return [(one.id, one.kind) for one in store.list_credentials(unit.rows, unit.site_id, person_id)]


def unsealed_credentials(unit: Unit, recogniser: Recogniser) -> Iterator[tuple[str, str, str]]:
    """Kind, plain value and holder of each card and code, to be hashed for an agent's offline policy."""
    found = store.list_credentials(unit.rows, unit.site_id)
    unreadable: set[str] = set()
    keys = open_keys(unit, recogniser.vault, [one.person_id for one in found], unreadable=unreadable)
    for one in found:
        try:
            key = keys.get(one.person_id)
            value = key and key.unseal(Place(TABLE, "sealed", one.id), one.sealed).decode()
        except Tampered:
            unreadable.add(one.person_id)
            continue
        if value:
            yield one.kind, value, one.person_id
    note_unreadable(unit, recogniser.gallery(unit), unreadable)


def _add(unit: Unit, vault: Vault, person_id: str, kind: str, value: str) -> str:
    credential_id = new_id(kind)
    row = CredentialRow(
        id=credential_id,
        site_id=unit.site_id,
        person_id=person_id,
        kind=kind,
        blind=lookup_of(vault, BLINDS[kind], value),
        sealed=seal_for(unit, vault, person_id, Place(TABLE, "sealed", credential_id), value.encode()),
        added_at=unit.now,
    )
    store.add_credential(unit.rows, row)
    announce(unit, person_id)
    record(unit, "credential.added", subject_id=person_id, kind=kind, credential=credential_id)
    return credential_id


def _pepper_place(person_id: str) -> Place:
    return Place("people_pins", "pepper", person_id)


def _is(hashed: str | None, offered: bytes) -> bool:
    if hashed is None:
        return False
    try:
        return PIN_HASHER.verify(hashed, offered)
    except VerifyMismatchError:
        return False
