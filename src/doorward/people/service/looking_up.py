"""Keyed look-ups as they are stored: the key's generation, then the hash, so that old ones can be found."""

from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.service import Vault

GENERATION_BYTES = 4


def lookup_of(vault: Vault, purpose: Purpose, value: str) -> bytes:
    """What to store, under the newest key."""
    return lookups_of(vault, purpose, value)[0]


def lookups_of(vault: Vault, purpose: Purpose, value: str) -> list[bytes]:
    """What may be stored for a value while a rotation runs, newest first."""
    while True:
        generations = vault.generations(KeyName(Use.BLIND, purpose))
        hashes = vault.blinds(purpose, value)
        # Another process may have rotated the key in between: then numbers and hashes do not belong together.
        if vault.generations(KeyName(Use.BLIND, purpose)) == generations:
            return [mark(number) + one for number, one in zip(generations, hashes, strict=True)]


def mark(generation: int) -> bytes:
    """How a stored look-up of this generation begins; older ones sort before it."""
    return generation.to_bytes(GENERATION_BYTES, "big")
