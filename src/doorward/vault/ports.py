"""What the vault needs from the world: a root key, and a place for encrypted objects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from doorward.platform.db import Unit

Custody = Mapping[str, Any]


class Custodian(Protocol):
    """Keeps the root key outside the data folder.

    `begin` is asked once for a new ring: it answers the root key (32 bytes) and plain facts to keep in the
    ring's header; `root_key` finds the same key again from those facts. `settle` is called once the ring is
    under it, and again at the next start if that was cut short.
    """

    @property
    def is_unsettled(self) -> bool: ...

    def begin(self) -> tuple[bytes, Custody]: ...
    def root_key(self, custody: Custody) -> bytes: ...
    def settle(self, custody: Custody) -> None: ...


class Objects(Protocol):
    """A store of encrypted objects under random names."""

    def put(self, name: str, content: bytes) -> None: ...
    def get(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...
    def names(self, *, older_than_seconds: float) -> Iterator[str]: ...


class Looks(Protocol):
    """Counts looks at persons or vehicles; answers what to raise, after the unit, if they are too many."""

    def __call__(self, unit: Unit, subject_ids: Iterable[str]) -> Exception | None: ...
