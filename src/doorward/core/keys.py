"""Keys by which gate agents and the server know each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from doorward.core.encoding import from_text
from doorward.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """What the server signs permits with (Ed25519) and opens agents' journals with (X25519)."""

    signer_id: str
    signing: Ed25519PrivateKey
    journal: X25519PrivateKey
    older_journals: tuple[X25519PrivateKey, ...] = ()  # what was sealed before the keys changed is on its way
    older_signing: tuple[Ed25519PrivateKey, ...] = ()  # each of them hands over to the present one

    @classmethod
    def from_signing_key(
        cls, signer_id: str, signing: Ed25519PrivateKey, older: Sequence[Ed25519PrivateKey] = ()
    ) -> "ServerKeys":
        """Both keys from one: the journal's is derived from the signing key (HKDF, RFC 5869)."""
        journals = tuple(_journal_of(one) for one in older)
        return cls(signer_id, signing, _journal_of(signing), journals, tuple(older))

    @property
    def public(self) -> bytes:
        """The 32 bytes by which agents check permits."""
        return self.signing.public_key().public_bytes_raw()

    @property
    def journal_public(self) -> bytes:
        """The 32 bytes to which agents seal their journals."""
        return self.journal.public_key().public_bytes_raw()


def _journal_of(signing: Ed25519PrivateKey) -> X25519PrivateKey:
    return _derived(signing, b"doorward/1/journal-key")


def _derived(signing: Ed25519PrivateKey, info: bytes) -> X25519PrivateKey:
    kdf = HKDF(hashes.SHA256(), 32, salt=None, info=info)
    return X25519PrivateKey.from_private_bytes(kdf.derive(signing.private_bytes_raw()))


@dataclass(frozen=True, slots=True)
class FaceKeys:
    """What live faces are sealed to (X25519), the newest first; their holder is the decider."""

    private: tuple[X25519PrivateKey, ...]

    @classmethod
    def from_signing_keys(cls, newest_first: Sequence[Ed25519PrivateKey]) -> "FaceKeys":
        """One for each, derived (HKDF, RFC 5869): they turn together, and what is on its way still opens."""
        return cls(tuple(_derived(one, b"doorward/1/face-key") for one in newest_first))

    @property
    def public(self) -> bytes:
        """The 32 bytes to which agents seal faces."""
        return _public(self.private[0])


@lru_cache(maxsize=64)
def _public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@lru_cache(maxsize=4096)
def agent_key(text: str) -> Ed25519PublicKey:
    """An agent's public key from its text; `Invalid` if it is none."""
    try:
        return Ed25519PublicKey.from_public_bytes(from_text(text))
    except ValueError as error:
        raise Invalid("A public key has 32 bytes (Ed25519), in URL-safe base 64.") from error
