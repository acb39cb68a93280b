"""Handing a new root to processes that run on: each has a key of its own, which lives in its memory alone."""

import fcntl
import hmac
import json
import os
import secrets
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from doorward.core.encoding import from_text, to_text
from doorward.vault.service.ring_content import Root

FOLDER = "running"
NEW, PUBLIC, PROOF, SEALED = ".new", ".public", ".proof", ".sealed"
PUBLIC_BYTES = 32
MOST_STEPS = 50
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)  # RFC 9180


class Heir:
    """A running process. Only who holds the present root can make a key that the next root is sealed to."""

    def __init__(self, keys_folder: Path, root: Root) -> None:
        folder = keys_folder / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        for place in folder.glob(f"*{PUBLIC}"):
            _public_of(place, root)  # sweeps what is left of processes that were killed
        self._name = folder / secrets.token_hex(8)
        self._key = X25519PrivateKey.generate()
        fresh = self._name.with_suffix(NEW)
        self._descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._end = weakref.finalize(self, _leave, self._descriptor, self._name)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # as long as we live
        self.follow(root)
        fresh.rename(self._public)  # only now may others look whether it is locked

    def follow(self, root: Root) -> None:
        """Let the holder of this root find us at its next change."""
        self._root = root
        public = self._key.public_key().public_bytes_raw()
        told = json.dumps({"public": to_text(public), "mac": to_text(_mac(root, public))}).encode()
        os.pwrite(self._descriptor, told, 0)
        self._name.with_suffix(PROOF).unlink(missing_ok=True)

    def claim(self, ring_id: str) -> Root | None:
        """The root handed to us for this ring, once; each step by whoever held the root before it."""
        known = [self._root]  # and those on the way, also of changes that were announced and not done
        for one in _lines(self._sealed):
            root = next(filter(None, (self._opened(one, former) for former in known)), None)
            if root is not None and one["ring"] == ring_id:
                self.clear()
                return root
            known += [root] if root is not None else []
        return None

    def clear(self) -> None:
        """Take back what was handed to us."""
        self._sealed.unlink(missing_ok=True)

    def _opened(self, one: Mapping[str, str], former: Root) -> Root | None:
        try:
            sealed = from_text(one["sealed"])
            if not hmac.compare_digest(from_text(one["mac"]), _vouched(former, one["ring"], sealed)):
                return None
            return Root.of(SUITE.decrypt(sealed, self._key, one["ring"].encode()))
        except (InvalidTag, KeyError, TypeError, ValueError, AttributeError):
            return None

    @property
    def _public(self) -> Path:
        return self._name.with_suffix(PUBLIC)

    @property
    def _sealed(self) -> Path:
        return self._name.with_suffix(SEALED)


def hand_over(keys_folder: Path, ring_id: str, *, former: Root, root: Root) -> int:
    """Seal a new root to every process that runs and proved itself under the former one; how many."""
    handed = 0
    for place in sorted((keys_folder / FOLDER).glob(f"*{PUBLIC}")):
        public = _public_of(place, former)
        if public is None:
            continue
        sealed = SUITE.encrypt(root.raw, X25519PublicKey.from_public_bytes(public), ring_id.encode())
        vouched = to_text(_vouched(former, ring_id, sealed))
        one = {"ring": ring_id, "sealed": to_text(sealed), "mac": vouched}
        # Whoever has not looked since the last change goes from root to root, one line after the other.
        lines = [*_lines(place.with_suffix(SEALED))[1 - MOST_STEPS :], one]
        _write(place.with_suffix(SEALED), "\n".join(map(json.dumps, lines)).encode())
        # Should the root change again before that process has looked, it is known under this one too.
        _write(place.with_suffix(PROOF), to_text(_mac(root, public)).encode())
        handed += 1
    return handed


def _write(place: Path, content: bytes) -> None:
    place.unlink(missing_ok=True)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)


def _public_of(place: Path, former: Root) -> bytes | None:
    """The key of a process that still runs; what a dead one left is swept."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _proven(os.pread(descriptor, 4096, 0), place.with_suffix(PROOF), former)
    else:
        _sweep(place)
        return None
    finally:
        os.close(descriptor)


def _proven(told: bytes, proof: Path, former: Root) -> bytes | None:
    try:
        content = json.loads(told)
        public, macs = from_text(content["public"]), [from_text(content["mac"])]
        macs += [from_text(proof.read_text())] if proof.exists() else []
    except (OSError, ValueError, KeyError, TypeError):
        return None
    known = any(hmac.compare_digest(mac, _mac(former, public)) for mac in macs)
    return public if known and len(public) == PUBLIC_BYTES else None


def _sweep(name: Path) -> None:
    for suffix in (NEW, PUBLIC, PROOF, SEALED):
        name.with_suffix(suffix).unlink(missing_ok=True)


def _lines(place: Path) -> list[dict[str, str]]:
    try:
        found = [json.loads(line) for line in place.read_text().splitlines()]
    except (OSError, ValueError, RecursionError):
        return []
    return [one for one in found if isinstance(one, dict)]


def _vouched(former: Root, ring_id: str, sealed: bytes) -> bytes:
    """Sealing takes no secret: this says that whoever held the root before sealed it."""
    return hmac.digest(former.mac, b"doorward/1/handover\n" + ring_id.encode() + b"\n" + sealed, "sha256")


def _mac(root: Root, public: bytes) -> bytes:
    return hmac.digest(root.mac, b"doorward/1/heir\n" + public, "sha256")


def _leave(descriptor: int, name: Path) -> None:
    with suppress(OSError):
        _sweep(name)
        os.close(descriptor)
