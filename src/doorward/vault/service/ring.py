"""The key ring: random keys by use, purpose and generation, wrapped under the root key, in one file."""

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from doorward.core.encoding import canonical_json, from_text, to_text
from doorward.core.errors import Conflict, Denied, NotFound, Tampered, Unavailable
from doorward.vault.model import KeyName, PublicKey, Purpose, Use
from doorward.vault.ports import Custodian, Custody
from doorward.vault.rules import key_names

FILE = "keyring.json"
LOCK = "keyring.lock"
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

    def newest(self, name: KeyName) -> int:
        """The generation that new work uses."""
        return max(self.keys[name])

    def add(self, name: KeyName) -> int:
        """One more random generation."""
        generation = self.next_generation(name)
        self.keys.setdefault(name, {})[generation] = secrets.token_bytes(KEY_BYTES)
        return generation

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
        """The number of the next generation."""
        return max(self.keys.get(name, {0: b""})) + 1


@dataclass(frozen=True, slots=True)
class _Root:
    """What is derived from the root key: the root itself is not kept."""

    wrap: AESGCM
    mac: bytes


class KeyRing:
    """The file `keyring.json` of a keys folder, held open and re-read when another process changes it."""

    def __init__(self, folder: Path, custodian: Custodian) -> None:
        self._folder = folder
        self._custodian = custodian
        self._seen: tuple[int, int, int] | None = None
        self._ring: Ring | None = None

    @property
    def path(self) -> Path:
        """Where the ring lies."""
        return self._folder / FILE

    def begin(self) -> None:
        """Write a new ring; `Conflict` if there is one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            if self.path.exists():
                raise Conflict("There is a key ring in the keys folder already: it is not overwritten.")
            root, custody = self._custodian.begin()
            ring = Ring(secrets.token_hex(16), custody, {})
            _complete(ring)
            self._write(ring, _derive(root, ring.ring_id))

    def read(self) -> Ring:
        """The ring as it now is; a stat of the file tells whether to read it again."""
        seen = self._stamp()
        if self._ring is None or seen != self._seen:
            self._ring, self._seen = self._load(), seen
        return self._ring

    @contextmanager
    def change(self) -> Iterator[Ring]:
        """A fresh copy to change, written back whole and durable on a clean exit."""
        with self._locked():
            content = self._content()
            root = _derive(self._custodian.root_key(content["custody"]), content["ring_id"])
            ring = _unwrap(content, root)
            yield ring
            self._write(ring, root)

    def rewrap(self, custodian: Custodian) -> None:
        """Put the same keys under another root key; the old root opens nothing afterwards."""
        with self._locked():
            ring = self._load()
            root, custody = custodian.begin()
            ring.ring_id, ring.custody = secrets.token_hex(16), custody
            self._write(ring, _derive(root, ring.ring_id))
            self._custodian = custodian

    def complete(self) -> None:
        """Add the keys that a newer Doorward wants and this ring lacks."""
        if set(key_names()) - set(self.read().keys):
            with self.change() as ring:
                _complete(ring)

    def _load(self) -> Ring:
        content = self._content()
        return _unwrap(content, _derive(self._custodian.root_key(content["custody"]), content["ring_id"]))

    def _content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.path.read_bytes())
        except FileNotFoundError as error:
            raise NotFound(
                "There is no key ring in the keys folder: mount it, or restore its copy."
            ) from error
        except OSError as error:
            raise Unavailable(
                "The key ring cannot be read: check the keys folder's disk and owner."
            ) from error
        except ValueError as error:
            raise Tampered("The key ring is damaged: restore its copy.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise Tampered("The key ring is damaged or of another version: restore its copy.")
        return content

    def _stamp(self) -> tuple[int, int, int]:
        try:
            facts = self.path.stat()
        except FileNotFoundError as error:
            raise NotFound(
                "There is no key ring in the keys folder: mount it, or restore its copy."
            ) from error
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, ring: Ring, root: _Root) -> None:
        fresh = self._folder / f"{FILE}.new"
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(_wrap(ring, root))
            out.flush()
            os.fsync(out.fileno())
        old = os.open(self.path, os.O_RDWR | os.O_CLOEXEC) if self.path.exists() else None
        fresh.replace(self.path)
        _sync(self._folder)
        if old is not None:
            _overwrite(old)


def _complete(ring: Ring) -> None:
    for name in key_names():
        if name not in ring.keys:
            ring.add(name)


def _derive(root: bytes, ring_id: str) -> _Root:
    def expand(label: str) -> bytes:
        info = f"doorward/1/ring/{label}".encode()
        return HKDF(SHA256(), KEY_BYTES, bytes.fromhex(ring_id), info).derive(root)

    return _Root(AESGCM(expand("wrap")), expand("mac"))


def _wrap(ring: Ring, root: _Root) -> bytes:
    keys = []
    for name, generations in sorted(ring.keys.items()):
        for generation, raw in sorted(generations.items()):
            nonce = secrets.token_bytes(NONCE)
            wrapped = nonce + root.wrap.encrypt(nonce, raw, _label(name, generation))
            keys.append(
                {
                    "use": name.use,
                    "purpose": name.purpose,
                    "generation": generation,
                    "wrapped": to_text(wrapped),
                }
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


def _unwrap(content: Mapping[str, Any], root: _Root) -> Ring:
    """Every key; `Denied` for another root key, `Tampered` for lines changed or taken away."""
    keys: dict[KeyName, dict[int, bytes]] = {}
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
        publics = [
            PublicKey(Purpose(key["purpose"]), key["generation"], key["key_id"], from_text(key["raw"]))
            for key in content["publics"]
        ]
    except (InvalidTag, KeyError, TypeError, ValueError) as error:
        raise Tampered("The key ring is damaged: restore its copy.") from error
    return Ring(content["ring_id"], content["custody"], keys, publics)


def _mac(content: Mapping[str, Any], root: _Root) -> bytes:
    covered = {key: value for key, value in content.items() if key != "mac"}
    return hmac.digest(root.mac, canonical_json(covered), "sha256")


def _check(ring_id: str, root: _Root) -> bytes:
    """Tells a wrong root key from a damaged ring."""
    return hmac.digest(root.mac, f"check {ring_id}".encode(), "sha256")


def _label(name: KeyName, generation: int) -> bytes:
    return canonical_json(["doorward/1/ring", name.use, name.purpose, generation])


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int) -> None:
    """Zeros over the replaced file: keys destroyed there lose their wrapped form where the disk allows it."""
    with os.fdopen(descriptor, "r+b") as old:
        size = os.fstat(old.fileno()).st_size
        old.write(bytes(size))
        old.flush()
        os.fsync(old.fileno())
