"""The key ring: random keys by use, purpose and generation, wrapped under the root key, in one file."""

import fcntl
import hmac
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from doorward.core.errors import Conflict, DoorwardError, Tampered, Unavailable
from doorward.platform.durable import overwrite, sync_folder
from doorward.vault.model import KeyName
from doorward.vault.ports import Custodian, Custody
from doorward.vault.rules import key_names
from doorward.vault.service.handover import Heir, hand_over
from doorward.vault.service.ring_content import FORMAT, Ring, Root, complete, derive, unwrap, wrap

FILE = "keyring.json"
LOCK = "keyring.lock"
DAMAGED = "The key ring is damaged: restore its copy."
READERS_SECONDS = 30.0
log = logging.getLogger("doorward.vault")


class KeyRing:
    """The file `keyring.json` of a keys folder, held open and re-read when another process changes it."""

    def __init__(
        self, folder: Path, custodian: Custodian, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._folder = folder
        self._custodian = custodian
        self._file = str(folder / FILE)
        self._seen: tuple[int, int, int] | None = None
        self._ring: Ring | None = None
        self._before: tuple[Ring, float] | None = None
        # Without it a slow thread could put back an older ring under the eyes of a rotation.
        self._reading = threading.Lock()
        self._root: tuple[str, Root] | None = None
        self._claiming = threading.Lock()  # a root that is handed to us can be taken once
        self._heir: Heir | None = None

    @property
    def path(self) -> Path:
        """Where the ring lies."""
        return self._folder / FILE

    @property
    def custodian(self) -> str:
        """What keeps the present root key: `file` or `passphrase`."""
        return str(self.read().custody.get("kind"))

    def begin(self, made_at: datetime | None = None) -> None:
        """Write a new ring; `Conflict` if there is one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            if self.path.exists():
                raise Conflict("There is a key ring in the keys folder already: it is not overwritten.")
            root, custody = self._custodian.begin()
            ring = Ring(secrets.token_hex(16), custody, {})
            complete(ring, made_at)
            self._write(ring, derive(root, ring.ring_id))

    def stay(self) -> None:
        """For a process that runs on: another one may give the ring a new root without stopping it.

        Where the keys folder takes no file (a full disk, or mounted for reading) it runs on all the same.
        """
        self.read()
        assert self._root is not None
        try:
            self._heir = Heir(self._folder, self._root[1])
        except OSError:
            log.warning("the keys folder takes no file: start again after the root was changed")

    def read(self) -> Ring:
        """The ring as it now is; a stat of the file tells whether to read it again."""
        with self._reading:
            # First of all, and whatever is asked for: destroyed keys must not wait in memory for a reader.
            if self._before is not None and self._monotonic() - self._before[1] >= READERS_SECONDS:
                self._before = None
            seen = self._stamp()
            if self._ring is None or seen != self._seen:
                fresh = self._load()
                if self._ring is not None:
                    self._before = (self._ring, self._monotonic())
                self._ring, self._seen = fresh, seen
            return self._ring

    def find(self, name: KeyName, generation: int) -> bytes | None:
        """A generation's working key; one destroyed less than half a minute ago still opens in this process.

        A reader may hold a snapshot of the database from before the last row was moved.
        """
        found, before = self.read().key(name, generation), self._before
        if found is None and before is not None:
            return before[0].key(name, generation)
        return found

    @contextmanager
    def change(self) -> Iterator[Ring]:
        """A fresh copy to change, written back whole and durable on a clean exit."""
        with self._locked():
            content = self._content()
            root = self._root_of(content)
            ring = unwrap(content, root)
            yield ring
            self._write(ring, root)

    def prepare(self, custodian: Custodian) -> "NextRoot":
        """Ask a custodian for another root key; the ring stays as it is until `rewrap`."""
        with self._locked():
            present = unwrap(content := self._content(), self._root_of(content))
            custodian.settle(present.custody)
            root, custody = custodian.begin()
            ring_id = secrets.token_hex(16)
            return NextRoot(present.ring_id, ring_id, custodian, custody, derive(root, ring_id))

    def rewrap(self, following: "NextRoot") -> None:
        """Put the same keys under the root key that was prepared; the old one opens nothing afterwards."""
        with self._locked():
            content = self._content()
            former = self._root_of(content)
            ring = unwrap(content, former)
            following.require_fit(ring)
            ring.ring_id, ring.custody = following.ring_id, following.custody
            with _from_disk():
                hand_over(self._folder, ring.ring_id, former=former, root=following.root)
            self._follow(ring, following)
            following.custodian.settle(ring.custody)
            if self._heir is not None:
                self._heir.follow(following.root)
                self._heir.clear()

    def _follow(self, ring: Ring, following: "NextRoot") -> None:
        kept = self._root, self._custodian
        # Before the file changes: another thread that sees the change must already know the new root.
        self._root, self._custodian = (ring.ring_id, following.root), following.custodian
        try:
            self._write(ring, following.root)
        except DoorwardError:
            if self._content()["ring_id"] != ring.ring_id:
                self._root, self._custodian = kept
            raise

    def complete(self, made_at: datetime | None = None) -> None:
        """Add the keys that a newer Doorward wants and this ring lacks."""
        if set(key_names()) - set(self.read().keys):
            with self.change() as ring:
                complete(ring, made_at)

    def settle(self) -> None:
        """Finish a change of the root that was cut short after the ring was written."""
        if self._custodian.is_unsettled:
            with self._locked():
                self._custodian.settle(self._content()["custody"])

    def put_beside(self, name: str, content: bytes) -> Path:
        """Keep a sealed file in the keys folder, whole or not at all; where it lies."""
        self._replace(name, content)
        return self._folder / name

    def _load(self) -> Ring:
        content = self._content()
        return unwrap(content, self._root_of(content))

    def _root_of(self, content: Mapping[str, Any]) -> Root:
        """Working keys for this ring; the custodian is asked again only when the ring got another root."""
        ring_id = content.get("ring_id")
        with self._claiming:
            if self._root is None or self._root[0] != ring_id:
                root = self._heir.claim(str(ring_id)) if self._heir is not None else None
                if root is None:
                    root = self._derived(content)
                unwrap(content, root)
                self._root = (content["ring_id"], root)
                if self._heir is not None:
                    self._heir.follow(root)
            return self._root[1]

    def _derived(self, content: Mapping[str, Any]) -> Root:
        try:
            return derive(self._custodian.root_key(content["custody"]), content["ring_id"])
        except (KeyError, TypeError, ValueError) as error:  # a header that no proof covers yet
            raise Tampered(DAMAGED) from error

    def _content(self) -> dict[str, Any]:
        with _from_disk():
            raw = self.path.read_bytes()
        try:
            content = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Tampered(DAMAGED) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise Tampered("The key ring is damaged or of another version: restore its copy.")
        custody = content.get("custody")
        if not isinstance(custody, dict) or not isinstance(custody.get("kind"), str):
            raise Tampered(DAMAGED)
        return content

    def _stamp(self) -> tuple[int, int, int]:
        try:
            facts = os.stat(self._file)  # noqa: PTH116  every look-up asks: twice as fast as a Path
        except OSError as error:
            raise _trouble(error) from error
        return facts.st_ino, facts.st_mtime_ns, facts.st_size

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with _from_disk():
            descriptor = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _write(self, ring: Ring, root: Root) -> None:
        self._replace(FILE, wrap(ring, root))

    def _replace(self, name: str, content: bytes) -> None:
        """Whole and durable, or not at all; `Unavailable` if the disk refuses."""
        with _from_disk():
            self._put(name, content)

    def _put(self, name: str, content: bytes) -> None:
        fresh, path = self._folder / f"{name}.new", self._folder / name
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            # The kernel's own stamps are too coarse to tell two quick changes apart.
            os.utime(out.fileno(), ns=(time.time_ns(), time.time_ns()))
            os.fsync(out.fileno())
        old = os.open(path, os.O_RDWR | os.O_CLOEXEC) if path.exists() else None
        fresh.replace(path)
        sync_folder(self._folder)
        if old is not None:
            overwrite(old)


@dataclass(frozen=True, slots=True)
class NextRoot:
    """A root key that a custodian keeps already, and the ids of the ring before and under it."""

    former: str
    ring_id: str
    custodian: Custodian
    custody: Custody
    root: Root

    def require_fit(self, ring: Ring) -> None:
        """`Conflict` unless the ring is the one it was made for and its custodian finds that key again."""
        found = (
            derive(self.custodian.root_key(self.custody), self.ring_id)
            if ring.ring_id == self.former
            else None
        )
        if found is None or not hmac.compare_digest(found.raw, self.root.raw):
            raise Conflict("The root key was changed by somebody else meanwhile: it stays as they left it.")


@contextmanager
def _from_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _trouble(error) from error


def _trouble(error: OSError) -> Unavailable:
    """What a refusal of the disk means."""
    if isinstance(error, FileNotFoundError):
        return Unavailable("There is no key ring in the keys folder: mount it, or restore its copy.")
    return Unavailable("The keys folder cannot be used: check its disk, its free space and its owner.")
