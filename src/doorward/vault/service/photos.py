"""Photos: encrypted objects without a URL, shown once at a time to whoever was granted a look."""

import secrets
from hashlib import sha256
from typing import Any

from doorward.audit.service import record
from doorward.audit.service.recording import written
from doorward.core.encoding import to_text
from doorward.core.errors import NotFound
from doorward.core.ids import new_id
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue
from doorward.vault import store
from doorward.vault.model import Photo, Place, Purpose, ViewGrant
from doorward.vault.rules import GRANT_LASTS, may_redeem, padded, require_view_purpose, unpadded
from doorward.vault.service.subjects import open_key
from doorward.vault.service.unlocked import Vault, generation_of

FORGET_OBJECTS = "vault.forget_objects"
ORPHAN_SECONDS = 3600.0
TOKEN_BYTES = 32
RESEALED_AT_ONCE = 10  # each waits for the disk while the unit keeps everybody else waiting


def add_photo(unit: Unit, vault: Vault, subject_id: str, jpeg: bytes) -> str:
    """Keep a photo under its subject's key and the vault's; returns the photo's id.

    The object is on disk before the unit commits; if the unit fails, `sweep_objects` finds the orphan.
    """
    photo_id = new_id("photo")
    place = _place(photo_id)
    inner = open_key(unit, vault, subject_id).seal(place, padded(jpeg))
    outer = vault.seal(Purpose.PHOTOS, place, inner)
    name = secrets.token_hex(16)
    vault.objects.put(name, outer)
    store.add_photo(
        unit.rows, Photo(photo_id, unit.site_id, subject_id, name, generation_of(outer)), unit.now
    )
    record(unit, "photo.added", subject_id=subject_id, photo=photo_id)
    return photo_id


def list_photos(unit: Unit, subject_id: str) -> list[str]:
    """Ids of a subject's photos, oldest first."""
    return [photo.id for photo in store.list_photos(unit.rows, unit.site_id, subject_id)]


def subject_of(unit: Unit, photo_id: str) -> str:
    """Whose photo it is; `NotFound` if there is none here."""
    return _get_photo(unit, photo_id).subject_id


def grant_view(unit: Unit, vault: Vault, photo_id: str, *, purpose: str) -> str:  # noqa: ARG001
    """A token that shows one photo once, to this actor, within two minutes; only its hash is stored."""
    photo = _get_photo(unit, photo_id)
    token = to_text(secrets.token_bytes(TOKEN_BYTES))
    grant = ViewGrant(
        photo_id, unit.actor.id, require_view_purpose(purpose), unit.now + GRANT_LASTS, used=False
    )
    store.add_grant(unit.rows, unit.site_id, _hashed(token), grant)
    record(unit, "photo.view_granted", subject_id=photo.subject_id, photo=photo_id, purpose=purpose)
    return token


def redeem_view(unit: Unit, vault: Vault, token: str) -> bytes:
    """The JPEG behind a token, which is thereby used up; the view enters the subject's own ledger."""
    digest = _hashed(token)
    grant = store.find_grant(unit.rows, unit.site_id, digest)
    if grant is None or not may_redeem(grant, unit.actor.id, unit.now):
        raise NotFound("This leave to see a photo is used up, expired or not yours: ask for a new one.")
    store.burn_grant(unit.rows, digest, unit.now)
    photo = _get_photo(unit, grant.photo_id)
    record(unit, "photo.viewed", subject_id=photo.subject_id, photo=photo.id, purpose=grant.purpose)
    place = _place(photo.id)
    inner = vault.unseal(Purpose.PHOTOS, place, vault.objects.get(photo.object_name))
    return unpadded(open_key(unit, vault, photo.subject_id).unseal(place, inner))


def forget_photos(unit: Unit, vault: Vault, subject_id: str) -> int:  # noqa: ARG001
    """Forget every photo of a subject and return how many; their objects are deleted after the commit."""
    photos = store.list_photos(unit.rows, unit.site_id, subject_id)
    if photos:
        store.forget_photos(unit.rows, [photo.id for photo in photos])
        enqueue(unit, FORGET_OBJECTS, names=[photo.object_name for photo in photos])
        record(unit, "photos.forgotten", subject_id=subject_id, photos=len(photos))
    return len(photos)


def forget_objects(unit: Unit, vault: Vault, facts: dict[str, Any]) -> None:
    """Job `vault.forget_objects`: delete objects that no row names any more."""
    named = store.list_object_names(unit.rows, facts["names"])
    for name in facts["names"]:
        if name not in named:
            vault.objects.remove(name)


def sweep_objects(unit: Unit, vault: Vault) -> int:
    """Delete objects that a failed unit left behind, and grants long over; returns how many objects.

    Only objects older than an hour go, since a younger one may belong to a unit still under way. Photos
    whose object is gone are told, as often as this looks, until they are restored or forgotten.
    """
    store.forget_grants(unit.rows, unit.now - GRANT_LASTS)
    named = store.list_every_object_name(unit.rows)
    there = set(vault.objects.names(older_than_seconds=0.0))
    orphans = {name for name in vault.objects.names(older_than_seconds=ORPHAN_SECONDS) if name not in named}
    if named - there:
        record(unit, "photos.missing", objects=len(named - there))
    if orphans:
        record(unit, "photos.swept", objects=len(orphans))
        written(unit)
    for name in orphans:
        vault.objects.remove(name)
    return len(orphans)


def reseal_photos(unit: Unit, vault: Vault, generation: int, limit: int) -> int:
    """Move some photos to the newest key of the vault under new object names; returns how many."""
    photos = store.list_old_photos(unit.rows, generation, min(limit, RESEALED_AT_ONCE))
    for photo in photos:
        place = _place(photo.id)
        inner = vault.unseal(Purpose.PHOTOS, place, vault.objects.get(photo.object_name))
        outer = vault.seal(Purpose.PHOTOS, place, inner)
        name = secrets.token_hex(16)
        vault.objects.put(name, outer)
        store.move_photo(unit.rows, photo.id, name, generation_of(outer))
    if photos:
        enqueue(unit, FORGET_OBJECTS, names=[photo.object_name for photo in photos])
    return len(photos)


def _get_photo(unit: Unit, photo_id: str) -> Photo:
    photo = store.find_photo(unit.rows, unit.site_id, photo_id)
    if photo is None:
        raise NotFound("There is no such photo here.")
    return photo


def _place(photo_id: str) -> Place:
    return Place("vault_photos", "object", photo_id)


def _hashed(token: str) -> bytes:
    """The token has 256 random bits, so that a plain hash can't be guessed back."""
    return sha256(token.encode()).digest()
