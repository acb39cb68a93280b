"""The unlocked vault: seals, opens, blinds and signs with the keys of the ring."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorward.core.errors import DoorwardError, Tampered
from doorward.vault.model import KeyName, Place, PublicKey, Purpose, Use
from doorward.vault.ports import Custodian, Objects
from doorward.vault.rules import IDLE, SEALED_BY_PURPOSE, WRAPPED_KEY, bound_to
from doorward.vault.service.ring import KeyRing

NONCE = 12
GENERATION = slice(1, 5)
HEADER_BYTES = 5


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one purpose; satisfies `audit.ports.Signer`."""

    key_id: str
    public_key: bytes
    private_key: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature (RFC 8032), 64 bytes."""
        return self.private_key.sign(message)


class Vault:
    """Keys in memory. Python cannot promise to wipe them: see docs/security/keys.md for what that means."""

    def __init__(self, ring: KeyRing, objects: Objects) -> None:
        self.ring = ring
        self.objects = objects

    @classmethod
    def create(
        cls, folder: Path, custodian: Custodian, objects: Objects, *, now: datetime | None = None
    ) -> Self:
        """Make a key ring in a keys folder that has none, and open it; without a time its age is unknown."""
        ring = KeyRing(folder, custodian)
        ring.begin(now)
        return cls.open(folder, custodian, objects)

    @classmethod
    def open(cls, folder: Path, custodian: Custodian, objects: Objects) -> Self:
        """The vault of a keys folder; `Denied` for a wrong root key, `Tampered` for a changed ring."""
        vault = cls(KeyRing(folder, custodian), objects)
        vault.ring.settle()
        vault.ring.complete()
        vault.list_publics()
        return vault

    def blind(self, purpose: Purpose, value: str) -> bytes:
        """A keyed look-up hash, 32 bytes; the caller brings the value into one form first."""
        name = _used(KeyName(Use.BLIND, purpose))
        return _blinded(self._key(name, self.newest(name)), value)

    def blinds(self, purpose: Purpose, value: str) -> list[bytes]:
        """The hashes under every live generation, newest first: look up with IN while a rotation runs."""
        return [blind for _, blind in self.numbered_blinds(purpose, value)]

    def numbered_blinds(self, purpose: Purpose, value: str) -> list[tuple[int, bytes]]:
        """The same, each with its generation; all from one state of the ring."""
        name, ring = KeyName(Use.BLIND, purpose), self.ring.read()
        found = [(number, ring.key(name, number)) for number in sorted(ring.keys[name], reverse=True)]
        return [(number, _blinded(key, value)) for number, key in found if key is not None]

    def seal(self, purpose: Purpose, place: Place, plaintext: bytes) -> bytes:
        """AES-256-GCM under the purpose's newest key, bound to the place."""
        name = _used(KeyName(Use.SEAL, purpose))
        return self._encrypt(SEALED_BY_PURPOSE, name, place, plaintext)

    def unseal(self, purpose: Purpose, place: Place, sealed: bytes) -> bytes:
        """What was sealed for this purpose at this place; `Tampered` for anything else."""
        return self._decrypt(SEALED_BY_PURPOSE, KeyName(Use.SEAL, purpose), place, sealed)

    def wrap(self, purpose: Purpose, place: Place, key: bytes) -> bytes:
        """A data key under the newest wrapping key."""
        return self._encrypt(WRAPPED_KEY, KeyName(Use.WRAP, purpose), place, key)

    def unwrap(self, purpose: Purpose, place: Place, wrapped: bytes) -> bytes:
        """A data key, whichever live generation wraps it."""
        return self._decrypt(WRAPPED_KEY, KeyName(Use.WRAP, purpose), place, wrapped)

    def seal_answer(self, row_id: str, answer: bytes) -> bytes:
        """An answer to a write; `answers.AnswerSeals` seals it under its subject's key first."""
        return self.seal(Purpose.ANSWERS, Place("kept_answers", "answer", row_id), answer)

    def unseal_answer(self, row_id: str, sealed: bytes) -> bytes:
        """What was sealed so."""
        return self.unseal(Purpose.ANSWERS, Place("kept_answers", "answer", row_id), sealed)

    def signing_key(self, purpose: Purpose) -> Ed25519PrivateKey:
        """The purpose's newest signing key."""
        return self.signer(purpose).private_key

    def signer(self, purpose: Purpose) -> Signer:
        """The purpose's newest signing key with its public name."""
        name = KeyName(Use.SIGN, purpose)
        return self._signer(name, self.newest(name))

    def signers(self, purpose: Purpose) -> list[Signer]:
        """The same, and after it those that linger."""
        name = KeyName(Use.SIGN, purpose)
        return [self._signer(name, number) for number in self.generations(name)]

    def public_keys(self, purpose: Purpose) -> dict[str, bytes]:
        """Every verification key that this purpose ever had, by key id, the newest last."""
        listed = [key for key in self.ring.read().publics if key.purpose is purpose]
        return {key.key_id: key.raw for key in sorted(listed, key=lambda key: key.generation)}

    def audit_signer(self) -> Signer:
        """For `audit.ports.Keys`."""
        return self.signer(Purpose.AUDIT)

    def audit_keys(self) -> dict[str, bytes]:
        """For `audit.ports.Keys`."""
        return self.public_keys(Purpose.AUDIT)

    def database_keys(self) -> list[bytes]:
        """Keys of the database file, newest first; more than one only while it is being re-keyed."""
        name = KeyName(Use.OPEN, Purpose.DATABASE)
        return [self._key(name, number) for number in self.generations(name)]

    def newest(self, name: KeyName) -> int:
        """The generation that new work uses."""
        return self.ring.read().newest(name)

    def generations(self, name: KeyName) -> list[int]:
        """Every live generation, newest first."""
        return sorted(self.ring.read().keys[name], reverse=True)

    def list_publics(self) -> None:
        """Write the public half of every signing key into the ring, where it stays."""
        ring = self.ring.read()
        known = {(key.purpose, key.generation) for key in ring.publics}
        fresh = [
            self._public(name, number)
            for name, generations in ring.keys.items()
            if name.use is Use.SIGN
            for number in generations
            if (name.purpose, number) not in known
        ]
        if fresh:
            with self.ring.change() as changed:
                listed = {(key.purpose, key.generation) for key in changed.publics}
                changed.publics += [key for key in fresh if (key.purpose, key.generation) not in listed]

    def _public(self, name: KeyName, generation: int) -> PublicKey:
        signer = self._signer(name, generation)
        return PublicKey(name.purpose, generation, signer.key_id, signer.public_key)

    def _signer(self, name: KeyName, generation: int) -> Signer:
        private = Ed25519PrivateKey.from_private_bytes(self._key(name, generation))
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Signer(f"{name.purpose}-{generation}-{public[:4].hex()}", public, private)

    def _encrypt(self, header: int, name: KeyName, place: Place, plaintext: bytes) -> bytes:
        generation = self.newest(name)
        nonce = secrets.token_bytes(NONCE)
        cipher = AESGCM(self._key(name, generation))
        bound = bound_to(header, place, f"{name}#{generation}")
        return (
            bytes([header]) + generation.to_bytes(4, "big") + nonce + cipher.encrypt(nonce, plaintext, bound)
        )

    def _decrypt(self, header: int, name: KeyName, place: Place, sealed: bytes) -> bytes:
        if len(sealed) < HEADER_BYTES + NONCE or sealed[0] != header:
            raise Tampered("A sealed field does not have our form.", table=place.table, column=place.column)
        generation = generation_of(sealed)
        cipher = AESGCM(self._key(name, generation))
        nonce, rest = sealed[HEADER_BYTES : HEADER_BYTES + NONCE], sealed[HEADER_BYTES + NONCE :]
        try:
            return cipher.decrypt(nonce, rest, bound_to(header, place, f"{name}#{generation}"))
        except InvalidTag as error:
            raise Tampered(
                "A sealed field was changed or moved.", table=place.table, column=place.column
            ) from error

    def _key(self, name: KeyName, generation: int) -> bytes:
        key = self.ring.find(name, generation)
        if key is None:
            raise Tampered("A sealed field names a key that was destroyed.", key=str(name), number=generation)
        return key


def header_of(generation: int) -> bytes:
    """How whatever a generation sealed goes on after its first byte."""
    return generation.to_bytes(4, "big")


def generation_of(sealed: bytes) -> int:
    """Which generation sealed these bytes."""
    return int.from_bytes(sealed[GENERATION], "big")


def _used(name: KeyName) -> KeyName:
    """A rotation destroys idle keys without looking: whoever begins to use one must say how rows move."""
    if name in IDLE:
        raise DoorwardError("Nothing is kept under this key.", key=str(name))
    return name


def _blinded(key: bytes, value: str) -> bytes:
    return hmac.digest(key, value.encode(), "sha256")
