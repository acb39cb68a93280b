"""The key ring's content: random keys by use, purpose and generation, and how the root key wraps them."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from doorward.core.encoding import canonical_json, from_text, to_text
from doorward.core.errors import Denied, Tampered
from doorward.vault.model import KeyName, PublicKey, Purpose, Use
from doorward.vault.ports import Custody
from doorward.vault.rules import key_names

FORMAT = "doorward-keyring/1"
NONCE = 12
KEY_BYTES = 32


@dataclass(slots=True)
class Ring:
    """An open key ring. Changed only inside `KeyRing.change`; readers hold one version of it."""

    ring_id: str
    custody: Custody
    keys: dict[KeyName, dict[int, bytes]] = field(repr=False)
    publics: list[PublicKey] = field(default_factory=list)
    expanded: dict[tuple[KeyName, int], bytes] = field(default_factory=dict, repr=False)
    made_at: dict[tuple[KeyName, int], datetime] = field(default_factory=dict)

    def newest(self, name: KeyName) -> int:
        """The generation that new work uses."""
        return max(self.keys[name])

    def add(self, name: KeyName, made_at: datetime | None = None) -> int:
        """One more random generation; without a time its age is not known."""
        generation = self.next_generation(name)
        self.keys.setdefault(name, {})[generation] = secrets.token_bytes(KEY_BYTES)
        if made_at is not None:
            self.made_at[name, generation] = made_at.astimezone(UTC).replace(microsecond=0)
        return generation

    def destroy(self, name: KeyName, generation: int) -> None:
        """This generation is gone once the ring is written."""
        del self.keys[name][generation]
        self.made_at.pop((name, generation), None)

    def key(self, name: KeyName, generation: int) -> bytes | None:
        """The working key of a generation, expanded so that one random key never serves two algorithms."""
        raw = self.keys[name].get(generation)
        if raw is None:
            return None
        found = self.expanded.get((name, generation))
        if found is None:
            found = HKDFExpand(SHA256(), KEY_BYTES, f"doorward/1/{name}".encode()).derive(raw)
            self.expanded[name, generation] = found
        return found

    def next_generation(self, name: KeyName) -> int:
        """A number that no key of this name ever had, so that a listed public key stays what it was."""
        listed = [key.generation for key in self.publics if key.purpose is name.purpose]
        held = list(self.keys.get(name, {}))
        return max([0, *held, *(listed if name.use is Use.SIGN else [])]) + 1


@dataclass(frozen=True, slots=True)
class Root:
    """What is derived from the root key, 64 bytes: the root itself is not kept."""

    raw: bytes = field(repr=False)
    wrap: AESGCM
    mac: bytes = field(repr=False)

    @classmethod
    def of(cls, raw: bytes) -> "Root":
        """The two working keys, one after the other."""
        return cls(raw, AESGCM(raw[:KEY_BYTES]), raw[KEY_BYTES:])


def complete(ring: Ring, made_at: datetime | None = None) -> None:
    """Add a first generation of every key that is missing."""
    for name in key_names():
        if name not in ring.keys:
            ring.add(name, made_at)


def derive(root: bytes, ring_id: str) -> Root:
    """The two working keys of a root key; the root itself need not be kept."""

    def expand(label: str) -> bytes:
        info = f"doorward/1/ring/{label}".encode()
        return HKDF(SHA256(), KEY_BYTES, bytes.fromhex(ring_id), info).derive(root)

    return Root.of(expand("wrap") + expand("mac"))


def wrap(ring: Ring, root: Root) -> bytes:
    """The bytes of the ring's file."""
    keys = []
    for name, generations in sorted(ring.keys.items()):
        for generation, raw in sorted(generations.items()):
            nonce = secrets.token_bytes(NONCE)
            wrapped = nonce + root.wrap.encrypt(nonce, raw, _label(name, generation))
            made_at = ring.made_at.get((name, generation))
            keys.append(
                {
                    "use": name.use,
                    "purpose": name.purpose,
                    "generation": generation,
                    "wrapped": to_text(wrapped),
                }
                | ({"made_at": made_at.isoformat()} if made_at else {})
            )
    publics = [
        {"purpose": key.purpose, "generation": key.generation, "key_id": key.key_id, "raw": to_text(key.raw)}
        for key in ring.publics
    ]
    content = {
        "format": FORMAT,
        "ring_id": ring.ring_id,
        "custody": dict(ring.custody),
        "keys": keys,
        "publics": publics,
        "check": to_text(_check(ring.ring_id, root)),
    }
    return canonical_json(content | {"mac": to_text(_mac(content, root))})


def unwrap(content: Mapping[str, Any], root: Root) -> Ring:
    """Every key; `Denied` for another root key, `Tampered` for lines changed or taken away."""
    keys: dict[KeyName, dict[int, bytes]] = {}
    made_at: dict[tuple[KeyName, int], datetime] = {}
    try:
        if not hmac.compare_digest(from_text(content["check"]), _check(content["ring_id"], root)):
            raise Denied("The key ring does not open with this root key or passphrase.")
        if not hmac.compare_digest(from_text(content["mac"]), _mac(content, root)):
            raise Tampered("The key ring was changed by somebody without the root key: restore its copy.")
        for line in content["keys"]:
            name, generation = KeyName(Use(line["use"]), Purpose(line["purpose"])), int(line["generation"])
            raw = from_text(line["wrapped"])
            keys.setdefault(name, {})[generation] = root.wrap.decrypt(
                raw[:NONCE], raw[NONCE:], _label(name, generation)
            )
            if "made_at" in line:
                made_at[name, generation] = datetime.fromisoformat(line["made_at"])
        publics = [
            PublicKey(Purpose(key["purpose"]), key["generation"], key["key_id"], from_text(key["raw"]))
            for key in content["publics"]
        ]
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise Tampered("The key ring is damaged: restore its copy.") from error
    return Ring(content["ring_id"], content["custody"], keys, publics, made_at=made_at)


def _mac(content: Mapping[str, Any], root: Root) -> bytes:
    covered = {key: value for key, value in content.items() if key != "mac"}
    return hmac.digest(root.mac, canonical_json(covered), "sha256")


def _check(ring_id: str, root: Root) -> bytes:
    """Tells a wrong root key from a damaged ring."""
    return hmac.digest(root.mac, f"check {ring_id}".encode(), "sha256")


def _label(name: KeyName, generation: int) -> bytes:
    return canonical_json(["doorward/1/ring", name.use, name.purpose, generation])
