"""Seal and open, one key per subject; show a photo once; forget for good; change every key while running."""

from doorward.vault.service.erasure import erase_subject, find_receipt, receipt_from, receipt_text
from doorward.vault.service.keyset import Adopted, adopt_key_set, export_key_set
from doorward.vault.service.photos import (
    FORGET_OBJECTS,
    add_photo,
    forget_objects,
    forget_photos,
    grant_view,
    list_photos,
    redeem_view,
    sweep_objects,
)
from doorward.vault.service.rotation import (
    Mover,
    Movers,
    Rotation,
    ratchet,
    rotate,
    rotate_database_key,
    rotate_root,
    vault_movers,
)
from doorward.vault.service.subjects import (
    SubjectKey,
    make_subject_key,
    open_key,
    open_keys,
    seal_for,
    subject_keys,
    unseal_for,
)
from doorward.vault.service.unlocked import Signer, Vault, generation_of

__all__ = [
    "FORGET_OBJECTS",
    "Adopted",
    "Mover",
    "Movers",
    "Rotation",
    "Signer",
    "SubjectKey",
    "Vault",
    "add_photo",
    "adopt_key_set",
    "erase_subject",
    "export_key_set",
    "find_receipt",
    "forget_objects",
    "forget_photos",
    "generation_of",
    "grant_view",
    "list_photos",
    "make_subject_key",
    "open_key",
    "open_keys",
    "ratchet",
    "receipt_from",
    "receipt_text",
    "redeem_view",
    "rotate",
    "rotate_database_key",
    "rotate_root",
    "seal_for",
    "subject_keys",
    "sweep_objects",
    "unseal_for",
    "vault_movers",
]
