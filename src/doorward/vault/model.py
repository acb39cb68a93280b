"""What keys are for, where a sealed field lies, and what an erasure leaves behind."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Purpose(StrEnum):
    """What a key may be used for; keys of two purposes share nothing."""

    ANSWERS = "answers"
    AUDIT = "audit"
    BLIND_CARD = "blind-card"
    BLIND_ID_NUMBER = "blind-id-number"
    BLIND_LOGIN = "blind-login"
    BLIND_NAME = "blind-name"
    BLIND_PIN = "blind-pin"
    BLIND_PLATE = "blind-plate"
    BLIND_QR = "blind-qr"
    BLIND_TOKEN = "blind-token"  # noqa: S105
    DATABASE = "database"
    DECIDER = "decider"
    GATES = "gates"
    MATCHER = "matcher"
    PEOPLE = "people"
    PHOTOS = "photos"
    PLATES = "plates"
    STAFF = "staff"
    VAULT = "vault"


class Use(StrEnum):
    """What is done with a purpose's key; each use has a key and generations of its own."""

    BLIND = "blind"  # keyed look-up hashes
    OPEN = "open"  # the key of the database file
    SEAL = "seal"  # fields sealed directly
    SIGN = "sign"  # Ed25519 signatures
    WRAP = "wrap"  # wraps the data keys of persons and vehicles


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """One line of the key ring: a use of a purpose."""

    use: Use
    purpose: Purpose

    def __str__(self) -> str:
        return f"{self.use}.{self.purpose}"


@dataclass(frozen=True, slots=True)
class KeyState:
    """How a key of the ring stands, and never the key: generations newest first, the newest one's age.

    `left` counts rows that still lie under older generations; `made_at` is None if it was made before ages
    were kept.
    """

    name: KeyName
    generations: tuple[int, ...]
    made_at: datetime | None
    left: int
    movable: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed field lies; a field moved elsewhere does not open."""

    table: str
    column: str
    row_id: str


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The data key of one person or vehicle, as it is stored."""

    subject_id: str
    key_id: str
    site_id: str
    purpose: Purpose
    generation: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A verification key, listed for ever: old signatures outlive the key that made them."""

    purpose: Purpose
    generation: int
    key_id: str
    raw: bytes  # 32 bytes, Ed25519


@dataclass(frozen=True, slots=True)
class Photo:
    """Where a photo's ciphertext lies; the name of the object is random."""

    id: str
    site_id: str
    subject_id: str
    object_name: str
    generation: int


@dataclass(frozen=True, slots=True)
class ViewGrant:
    """Leave to see one photo once; only a hash of its token is stored."""

    photo_id: str
    actor_id: str
    purpose: str
    expires_at: datetime
    used: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a subject's key was destroyed: a signed statement and its place in the log."""

    body: dict[str, Any]
    key_id: str
    signature: bytes
