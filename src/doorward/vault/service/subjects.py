"""One data key per person or vehicle: made at enrolment, opened to seal and unseal, destroyed to forget."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from doorward.core.errors import Conflict, NotFound, Tampered
from doorward.core.ids import new_id
from doorward.platform.db import Unit
from doorward.vault import store
from doorward.vault.model import Place, WrappedKey
from doorward.vault.rules import SEALED_BY_SUBJECT, bound_to, wrapping_purpose
from doorward.vault.service.unlocked import NONCE, Vault, generation_of

HEADER = bytes([SEALED_BY_SUBJECT])
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SubjectKey:
    """One subject's data key, open in memory."""

    subject_id: str
    key_id: str
    _cipher: AESGCM = field(repr=False)

    def seal(self, place: Place, plaintext: bytes) -> bytes:
        """AES-256-GCM under this subject's key, bound to the place."""
        nonce = secrets.token_bytes(NONCE)
        return HEADER + nonce + self._cipher.encrypt(nonce, plaintext, self._bound(place))

    def unseal(self, place: Place, sealed: bytes) -> bytes:
        """What was sealed for this subject at this place; `Tampered` for anything else."""
        try:
            if sealed[:1] != HEADER:
                raise InvalidTag
            return self._cipher.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], self._bound(place))
        except (InvalidTag, ValueError) as error:
            raise Tampered(
                "A sealed field was changed or moved.", table=place.table, column=place.column
            ) from error

    def _bound(self, place: Place) -> bytes:
        return bound_to(SEALED_BY_SUBJECT, place, self.key_id)


def make_subject_key(unit: Unit, vault: Vault, subject_id: str) -> SubjectKey:
    """A fresh data key for a person or vehicle; `Conflict` if there is one or it was erased before."""
    known = store.find_key(unit.rows, unit.site_id, subject_id)
    if known is not None or store.find_receipt(unit.rows, unit.site_id, subject_id) is not None:
        raise Conflict("This subject has a key or was erased: use a new id.")
    raw, key_id = secrets.token_bytes(KEY_BYTES), new_id("key")
    purpose = wrapping_purpose(subject_id)
    wrapped = vault.wrap(purpose, _place(subject_id, key_id), raw)
    key = WrappedKey(subject_id, key_id, unit.site_id, purpose, generation_of(wrapped), wrapped)
    store.add_key(unit.rows, key)
    return SubjectKey(subject_id, key_id, AESGCM(raw))


def open_key(unit: Unit, vault: Vault, subject_id: str) -> SubjectKey:
    """One subject's key; `NotFound` if there is none here or it was erased."""
    key = store.find_key(unit.rows, unit.site_id, subject_id)
    if key is None:
        raise NotFound("There is no such person or vehicle here, or it was erased.")
    return _opened(vault, key)


def open_keys(
    unit: Unit, vault: Vault, subject_ids: Sequence[str], *, unreadable: set[str] | None = None
) -> dict[str, SubjectKey]:
    """Keys of those among these subjects that have one.

    A key that fails its proof is `Tampered`, or, for whoever brings `unreadable`, left out and named there.
    """
    opened: dict[str, SubjectKey] = {}
    for key in store.list_keys(unit.rows, unit.site_id, subject_ids):
        try:
            opened[key.subject_id] = _opened(vault, key)
        except Tampered:
            if unreadable is None:
                raise
            unreadable.add(key.subject_id)
    return opened


def drop_key(unit: Unit, subject_id: str) -> None:
    """Destroy the key of something that is not a person or vehicle; no receipt. Others: `erase_subject`.

    Older copies of the database open it until the wrapping key turns, as after every erasure.
    """
    store.forget_key(unit.rows, subject_id)


def subject_keys(unit: Unit, vault: Vault) -> Iterator[SubjectKey]:
    """The keys of every subject of the site, one at a time."""
    return (_opened(vault, key) for key in store.list_keys(unit.rows, unit.site_id))


def seal_for(unit: Unit, vault: Vault, subject_id: str, place: Place, plaintext: bytes) -> bytes:
    """Seal a field that only this subject's key opens."""
    return open_key(unit, vault, subject_id).seal(place, plaintext)


def unseal_for(unit: Unit, vault: Vault, subject_id: str, place: Place, sealed: bytes) -> bytes:
    """Open a field of this subject; the caller records the look in the audit log."""
    return open_key(unit, vault, subject_id).unseal(place, sealed)


def rewrapped(vault: Vault, key: WrappedKey) -> WrappedKey:
    """The same data key under the newest wrapping key."""
    place = _place(key.subject_id, key.key_id)
    wrapped = vault.wrap(key.purpose, place, vault.unwrap(key.purpose, place, key.wrapped))
    return WrappedKey(key.subject_id, key.key_id, key.site_id, key.purpose, generation_of(wrapped), wrapped)


def _opened(vault: Vault, key: WrappedKey) -> SubjectKey:
    raw = vault.unwrap(key.purpose, _place(key.subject_id, key.key_id), key.wrapped)
    return SubjectKey(key.subject_id, key.key_id, AESGCM(raw))


def _place(subject_id: str, key_id: str) -> Place:
    return Place("vault_subject_keys", key_id, subject_id)
