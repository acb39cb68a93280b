"""Two keepers of the root key: a strict file, and a passphrase stretched by Argon2id."""

import hashlib
import os
import secrets
import stat
import unicodedata
from contextlib import suppress
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Denied, Invalid, Unavailable
from doorward.platform.durable import overwrite, sync_folder
from doorward.vault.ports import Custody
from doorward.vault.rules import require_strong_passphrase

ROOT_BYTES = 32
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 4  # the second recommended set of RFC 9106, section 4


class FileCustodian:
    """The root key is 32 bytes in a file that nobody else may read.

    With `replacing`, `begin` writes a fresh key beside it, which takes the file's place once the ring is
    under that key.
    """

    def __init__(self, path: Path, *, replacing: bool = False) -> None:
        self._path = path
        self._replacing = replacing

    def begin(self) -> tuple[bytes, Custody]:
        """Use the file if it is there, else make it with a fresh random key."""
        place = self._next if self._replacing else self._path
        try:
            if self._replacing:
                place.unlink(missing_ok=True)
            if not place.exists():
                make_key_file(place)
        except OSError as error:
            raise Unavailable(
                "No key file can be written there: name another place, on media that can be written."
            ) from error
        raw = self._read(place)
        return raw, {"kind": "file", "key": key_name(raw)}

    def root_key(self, custody: Custody) -> bytes:
        """The key in the file; a sentence of refusal if the file is missing, open to others or not a key."""
        if custody.get("kind") != "file":
            raise Invalid("This key ring was made with a passphrase: set keys.passphrase, not keys.file.")
        return self._read(self._next if self._is_next(custody) else self._path)

    @property
    def is_unsettled(self) -> bool:
        """Whether a key lies beside the file that may have to take its place."""
        return self._next.exists()

    def settle(self, custody: Custody) -> None:
        """Let the fresh key take the file's place, if the ring is under it."""
        if not self._is_next(custody):
            return
        old = None
        with suppress(OSError):  # it may be gone, or of mode 0400
            old = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._next.replace(self._path)
        sync_folder(self._path.parent)
        if old is not None:
            overwrite(old)

    @property
    def _next(self) -> Path:
        return self._path.with_name(self._path.name + ".next")

    def _is_next(self, custody: Custody) -> bool:
        """Whether the ring is under the fresh key already: a replacement was cut short there."""
        return self._next.exists() and key_name(self._read(self._next)) == custody.get("key")

    def _read(self, path: Path) -> bytes:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Unavailable("The root key file is missing: mount it or restore it.") from error
        except OSError as error:
            raise Denied("The root key file cannot be opened: it must be a plain file of yours.") from error
        try:
            _require_private(os.fstat(descriptor))
            raw = os.read(descriptor, ROOT_BYTES + 1)
        finally:
            os.close(descriptor)
        if len(raw) != ROOT_BYTES:
            raise Invalid("The root key file must hold exactly 32 random bytes.")
        return raw


class PassphraseCustodian:
    """The root key is stretched from a passphrase; the salt lies in the key ring."""

    def __init__(self, passphrase: str) -> None:
        # Keyboards and files spell one accented letter in two ways.
        self._passphrase = unicodedata.normalize("NFC", passphrase)

    def begin(self) -> tuple[bytes, Custody]:
        """A fresh salt and the key it gives; `Invalid` for a passphrase too weak to bear guessing."""
        require_strong_passphrase(self._passphrase)
        custody: Custody = {
            "kind": "passphrase",
            "salt": to_text(secrets.token_bytes(16)),
            "memory_kib": MEMORY_KIB,
            "passes": PASSES,
            "lanes": LANES,
        }
        return self.root_key(custody), custody

    @property
    def is_unsettled(self) -> bool:
        """Never: nothing is stored."""
        return False

    def settle(self, custody: Custody) -> None:
        """Nothing to do."""

    def root_key(self, custody: Custody) -> bytes:
        """The key for the ring's salt."""
        if custody.get("kind") != "passphrase":
            raise Invalid("This key ring was made with a key file: set keys.file, not keys.passphrase.")
        if (custody["memory_kib"], custody["passes"], custody["lanes"]) != (MEMORY_KIB, PASSES, LANES):
            raise Invalid("The key ring names other Argon2id costs than ours: restore its backup.")
        return hash_secret_raw(
            self._passphrase.encode(),
            from_text(custody["salt"]),
            time_cost=PASSES,
            memory_cost=MEMORY_KIB,
            parallelism=LANES,
            hash_len=ROOT_BYTES,
            type=Type.ID,
        )


def key_name(raw: bytes) -> str:
    """Tells two key files apart; 256 random bits cannot be guessed back from it."""
    return hashlib.sha256(b"doorward/1/root-name\n" + raw).hexdigest()[:16]


def make_key_file(path: Path) -> None:
    """Write a fresh random root key with mode 0600, durably; an existing file is never touched."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(secrets.token_bytes(ROOT_BYTES))
        out.flush()
        os.fsync(out.fileno())
    sync_folder(path.parent)  # else a ring could outlive the key that it was put under


def _require_private(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise Denied("The root key file must be a plain file.")
    if facts.st_mode & 0o177:
        raise Denied("The root key file is open to others: give it mode 0600 (chmod 600) and start again.")
    if facts.st_uid not in (0, os.geteuid()):
        raise Denied("The root key file belongs to another user: it must be yours or root's.")
