"""Seal and open, one key per subject; show a photo once; forget for good; change every key while running."""

from doorward.vault.service.subjects import (
    SubjectKey,
    make_subject_key,
    open_key,
    open_keys,
    seal_for,
    subject_keys,
    unseal_for,
)
from doorward.vault.service.unlocked import Signer, Vault

__all__ = [
    "Signer",
    "SubjectKey",
    "Vault",
    "make_subject_key",
    "open_key",
    "open_keys",
    "seal_for",
    "subject_keys",
    "unseal_for",
]
