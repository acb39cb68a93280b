"""Two keepers of the root key: a strict file, and a passphrase stretched by Argon2id."""

import os
import secrets
import stat
from pathlib import Path

from argon2.low_level import Type, hash_secret_raw

from doorward.core.encoding import from_text, to_text
from doorward.core.errors import Denied, Invalid, Unavailable
from doorward.vault.ports import Custody

ROOT_BYTES = 32
MEMORY_KIB, PASSES, LANES = 64 * 1024, 3, 4  # the second recommended set of RFC 9106, section 4
SHORTEST_PASSPHRASE = 12


class FileCustodian:
    """The root key is 32 bytes in a file that nobody else may read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> tuple[bytes, Custody]:
        """Use the file if it is there, else make it with a fresh random key."""
        if not self._path.exists():
            make_key_file(self._path)
        return self._read(), {"kind": "file"}

    def root_key(self, custody: Custody) -> bytes:
        """The key in the file; a sentence of refusal if the file is missing, open to others or not a key."""
        if custody.get("kind") != "file":
            raise Invalid("This key ring was made with a passphrase: set keys.passphrase, not keys.file.")
        return self._read()

    def _read(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
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
        self._passphrase = passphrase

    def begin(self) -> tuple[bytes, Custody]:
        """A fresh salt and the key it gives; `Invalid` for a passphrase too short to bear guessing."""
        if len(self._passphrase) < SHORTEST_PASSPHRASE:
            raise Invalid(f"The passphrase needs at least {SHORTEST_PASSPHRASE} characters: five words do.")
        custody: Custody = {
            "kind": "passphrase",
            "salt": to_text(secrets.token_bytes(16)),
            "memory_kib": MEMORY_KIB,
            "passes": PASSES,
            "lanes": LANES,
        }
        return self.root_key(custody), custody

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


def make_key_file(path: Path) -> None:
    """Write a fresh random root key with mode 0600; an existing file is never touched."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(secrets.token_bytes(ROOT_BYTES))
        out.flush()
        os.fsync(out.fileno())


def _require_private(facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise Denied("The root key file must be a plain file.")
    if facts.st_mode & 0o177:
        raise Denied("The root key file is open to others: give it mode 0600 (chmod 600) and start again.")
    if facts.st_uid not in (0, os.geteuid()):
        raise Denied("The root key file belongs to another user: it must be yours or root's.")
