"""Keyed look-ups as they are stored: the key's generation, then the hash, so that old ones can be found."""

from doorward.vault.model import Purpose
from doorward.vault.service import Vault

GENERATION_BYTES = 4


def lookup_of(vault: Vault, purpose: Purpose, value: str) -> bytes:
    """What to store, under the newest key."""
    return lookups_of(vault, purpose, value)[0]


def lookups_of(vault: Vault, purpose: Purpose, value: str) -> list[bytes]:
    """What may be stored for a value while a rotation runs, newest first."""
    return [mark(number) + blind for number, blind in vault.numbered_blinds(purpose, value)]


def mark(generation: int) -> bytes:
    """How a stored look-up of this generation begins; older ones sort before it."""
    return generation.to_bytes(GENERATION_BYTES, "big")
