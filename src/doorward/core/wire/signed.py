"""Signed bytes: who said it, what kind of thing it is, and the proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Invalid, Tampered

VERSION = b"doorward/1/"
MAX_SIGNER_CHARACTERS = 64


class Kind(StrEnum):
    """What a signed message is; signed along with it, so that one kind cannot pass for another."""

    SIGHTING = "sighting"
    PERMIT = "permit"
    OUTCOME = "outcome"
    POLICY = "policy"
    JOURNAL = "journal"
    DOOR_STATE = "door-state"
    RECEIPT = "receipt"
    REQUEST = "request"
    TIME = "time"
    STANDING = "standing"
    HANDOVER = "handover"
    RESTART = "restart"


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes of one message and the Ed25519 signature (RFC 8032) of whoever said it."""

    body: bytes
    signer_id: str
    signature: bytes

    def to_json(self) -> dict[str, str]:
        """The three fields as text."""
        return {
            "body": to_text(self.body),
            "signer_id": self.signer_id,
            "signature": to_text(self.signature),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Signed":
        """Read the three fields; `Invalid` if they are not of that form."""
        try:
            return cls(from_text(fields["body"]), str(fields["signer_id"]), from_text(fields["signature"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Invalid("A signed message needs body, signer_id and signature in base 64.") from error


def sign(key: Ed25519PrivateKey, signer_id: str, kind: Kind, body: bytes) -> Signed:
    """Sign a body together with its kind."""
    return Signed(body, signer_id, key.sign(_signed_bytes(kind, signer_id, body)))


def verify(key: Ed25519PublicKey, kind: Kind, message: Signed) -> bytes:
    """The body, if the signature is that key's over that kind; `Tampered` otherwise."""
    try:
        key.verify(message.signature, _signed_bytes(kind, message.signer_id, message.body))
    except (InvalidSignature, ValueError) as error:
        raise Tampered("The signature does not fit the message.", kind=kind.value) from error
    return message.body


def _signed_bytes(kind: Kind, signer_id: str, body: bytes) -> bytes:
    # A line break in the signer's name would let one message be read as another.
    if "\n" in signer_id or len(signer_id) > MAX_SIGNER_CHARACTERS:
        raise Tampered("A signer's id is one short line.", kind=kind.value)
    return VERSION + kind.value.encode() + b"\n" + signer_id.encode(errors="replace") + b"\n" + body
