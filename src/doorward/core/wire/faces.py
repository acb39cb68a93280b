"""Live faces, sealed so that only the key holder of the gallery reads them (HPKE, RFC 9180).

A camera's agent holds the public key alone. Each sealing is bound to its sighting: a face that was taken from
one message opens in no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from doorward.core.errors import Tampered
from doorward.core.wire.messages import Sighting
from doorward.core.wire.offline import key_id_of

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
TEMPLATE_BYTES: Final = 128 * 4
SEALED_BYTES: Final = 32 + TEMPLATE_BYTES + 16  # encapsulated key, template, tag


@dataclass(frozen=True, slots=True)
class SealedFace:
    """One face as it came: the key that it was sealed to, by name, and the place that it is bound to."""

    key_id: bytes
    sealed: bytes
    place: bytes


def seal_face(face_key: bytes, template: bytes, place: bytes) -> tuple[bytes, bytes]:
    """A template of 512 bytes, sealed to an X25519 public key and bound to a place: key id and ciphertext."""
    assert len(template) == TEMPLATE_BYTES
    public = X25519PublicKey.from_public_bytes(face_key)
    return key_id_of(face_key), _SUITE.encrypt(template, public, place)


def open_face(face: SealedFace, keys: Sequence[X25519PrivateKey]) -> bytes:
    """The 512 bytes of the template; `Tampered` if it was sealed to another key or for another place."""
    for key in keys:
        if _named(key) == face.key_id:
            try:
                return _SUITE.decrypt(face.sealed, key, face.place)
            except (InvalidTag, ValueError):
                break
    raise Tampered("A face was not sealed for this key and place.")


@lru_cache(maxsize=64)
def _named(key: X25519PrivateKey) -> bytes:
    return key_id_of(key.public_key().public_bytes_raw())


def place_in(agent_id: str, gate_id: str, sequence: int) -> bytes:
    """The place of a face: the sighting that shows it."""
    return "\n".join(("doorward/1/face", agent_id, gate_id, str(sequence))).encode()


def face_of(sighting: Sighting) -> SealedFace | None:
    """The sealed face of a sighting, if it shows one."""
    face = sighting.face
    if face is None:
        return None
    place = place_in(sighting.agent_id, sighting.gate_id, sighting.sequence)
    return SealedFace(face.key_id, face.sealed, place)
