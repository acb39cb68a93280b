"""Encrypted blocks in an S3-compatible store, read through a local folder and mapped into memory from there.

Needs the extra `s3` (obstore). Who may read and write there is said as everywhere: by the `AWS_...` variables
of the environment, or by the machine's own role. A store sees ciphertext alone.
"""

import importlib
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from doorward.core.errors import Invalid, NotFound, Tampered, Unavailable
from doorward.core.loopback import is_loopback
from doorward.matching.block_files import GONE, NAME, FolderBlocks, digest_of
from doorward.matching.blocks import Cells
from doorward.matching.parameters import LONGEST_TEMPLATE, RING_DEGREE

LARGEST: Final = 8 * RING_DEGREE * LONGEST_TEMPLATE  # SEAL's blocks have two halves
TRIED: Final = {"max_retries": 1, "retry_timeout": timedelta(seconds=5)}
REFUSED: Final = "The store of blocks does not answer or refuses: check its address, rights and the line."


class ObjectBlocks:
    """One object a block, named by its content, under the prefix of an `s3://bucket/prefix` URL.

    A matcher only reads there: its `put` and `remove` change the local folder alone.
    """

    def __init__(
        self, url: str, cache: FolderBlocks, *, endpoint: str | None = None, reads_only: bool = False
    ) -> None:
        self._objects = _library()
        self._store = _store_of(url, endpoint)
        self._cache = cache
        self._reads_only = reads_only

    def put(self, cells: Cells) -> str:
        """Keep a block in the store and here; `Unavailable` unless both took it."""
        digest = self._cache.put(cells)
        if not self._reads_only:
            content = np.ascontiguousarray(cells, "<i4").tobytes()
            self._asked(self._objects.put, _path(digest), content)
        return digest

    def get(self, digest: str) -> Cells:
        """A block as a read-only mapping, fetched first if it is not here or was spoilt here."""
        try:
            return self._cache.get(digest)
        except (NotFound, Tampered):
            self._cache.put(self._fetched(digest))
            return self._cache.get(digest)

    def has(self, digest: str) -> bool:
        """Whether it is here, without asking the store."""
        return self._cache.has(digest)

    def is_sound(self, digest: str) -> bool:
        """Whether the store still has the very block, read anew."""
        try:
            self._fetched(digest)
        except (NotFound, Tampered):
            return False
        return True

    def remove(self, digest: str) -> None:
        """Delete a block there and here."""
        if not self._reads_only:
            with suppress(NotFound):  # gone already
                self._asked(self._objects.delete, _path(digest))
        self._cache.remove(digest)

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every block of the store and of the folder that is older than this."""
        seen = set(self._cache.names(older_than_seconds=older_than_seconds))
        yield from seen
        if not self._reads_only:
            limit = time.time() - older_than_seconds
            for path, changed in self._listed():
                name = path.rpartition("/")[2]
                if NAME.fullmatch(name) and name not in seen and changed <= limit:
                    yield name

    def _listed(self) -> list[tuple[str, float]]:
        def listed(store: Any) -> list[tuple[str, float]]:
            pages = self._objects.list(store)
            return [(one["path"], one["last_modified"].timestamp()) for page in pages for one in page]

        found: list[tuple[str, float]] = self._asked(listed)
        return found

    def _fetched(self, digest: str) -> Cells:
        def fetched(store: Any, path: str) -> bytes:
            answer = self._objects.get(store, path)
            if answer.meta["size"] > LARGEST:
                raise Tampered("A block of encrypted templates was changed.")
            return bytes(answer.bytes())

        raw: bytes = self._asked(fetched, _path(digest))
        if not raw or len(raw) % (4 * RING_DEGREE):
            raise Tampered("A block of encrypted templates was cut short or changed.")
        cells = np.frombuffer(raw, "<i4").reshape(RING_DEGREE, -1)
        if digest_of(cells) != digest:
            raise Tampered("A block of encrypted templates was changed.")
        return cells

    def _asked(self, deed: Any, *arguments: Any) -> Any:
        errors = importlib.import_module("obstore.exceptions")
        try:
            return deed(self._store, *arguments)
        except (FileNotFoundError, errors.NotFoundError) as error:
            raise NotFound(GONE) from error
        except (errors.BaseError, OSError) as error:
            raise Unavailable(REFUSED) from error


def _path(digest: str) -> str:
    if not NAME.fullmatch(digest):
        raise NotFound("There is no block of that name.")
    return f"{digest[:2]}/{digest}"


def _library() -> Any:
    try:
        return importlib.import_module("obstore")
    except ImportError as error:
        raise Invalid("Blocks in an S3 store need obstore: install Doorward with its extra `s3`.") from error


def _store_of(url: str, endpoint: str | None) -> Any:
    place, at = urlsplit(url), urlsplit(endpoint or "https://")
    if place.scheme != "s3" or not place.hostname:
        raise Invalid("The store of blocks is named as s3://bucket/prefix.")
    is_here = at.scheme == "http" and is_loopback(at.hostname or "")
    if at.scheme != "https" and not is_here:
        raise Invalid("The endpoint of the store must begin with https://; plain http is for loopback only.")
    options = {"timeout": "10s", "connect_timeout": "3s", "allow_http": is_here}
    named = {"endpoint": endpoint} if endpoint else {}
    errors = importlib.import_module("obstore.exceptions")
    try:
        return importlib.import_module("obstore.store").S3Store.from_url(
            url, client_options=options, retry_config=TRIED, **named
        )
    except (errors.BaseError, ValueError) as error:
        raise Invalid("The store of blocks cannot be used: check its URL and the AWS_ variables.") from error
