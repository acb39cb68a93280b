"""A passkey in software: ES256, attestation none, as WebAuthn level 3 describes it."""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin = origin
        self.verifies = verifies
        self.count = 0
        self.credential_id = secrets.token_bytes(32)
        self.user_handle = b""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: str) -> str:
        wanted = json.loads(options)
        self.user_handle = _raw(wanted["user"]["id"])
        numbers = self._key.public_key().public_numbers()
        cose = cbor2.dumps(
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        )
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cose
        data = self._data(wanted["rp"]["id"], ATTESTED) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            {
                "clientDataJSON": _text(self._client(wanted, "webauthn.create")),
                "attestationObject": _text(attestation),
            }
        )

    def get(self, options: str, *, origin: str | None = None) -> str:
        wanted = json.loads(options)
        self.count += 1
        data = self._data(wanted["rpId"], 0)
        client = self._client(wanted, "webauthn.get", origin)
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": _text(client),
                "authenticatorData": _text(data),
                "signature": _text(signature),
                "userHandle": _text(self.user_handle),
            }
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, wanted: dict[str, Any], kind: str, origin: str | None = None) -> bytes:
        told = {"type": kind, "challenge": wanted["challenge"], "origin": origin or self.origin}
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, str]) -> str:
        text = _text(self.credential_id)
        return json.dumps({"id": text, "rawId": text, "type": "public-key", "response": response})


def _text(raw: bytes) -> str:
    return bytes_to_base64url(raw)


def _raw(text: str) -> bytes:
    return base64url_to_bytes(text)
