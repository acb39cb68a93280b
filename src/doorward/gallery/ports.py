"""What the key holder needs: a store of blocks, somebody who multiplies, a scheme to seal by."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from doorward.gallery.model import SchemeName, Template, Wanted
from doorward.matching.blocks import Cells
from doorward.matching.keyholder import Nearest
from doorward.matching.matcher import Answer
from doorward.matching.queries import Query
from doorward.matching.seal_driver import PlainQuery

Steps: TypeAlias = NDArray[np.int32]
Question: TypeAlias = Query | PlainQuery
S = TypeVar("S")
S_contra = TypeVar("S_contra", contravariant=True)
K = TypeVar("K")
K_co = TypeVar("K_co", covariant=True)
K_contra = TypeVar("K_contra", contravariant=True)


class Blocks(Protocol):
    """Immutable encrypted blocks, each named by the SHA-256 of its content in hexadecimal."""

    def put(self, cells: Cells) -> str:
        """Keep a block durably; its name. `Unavailable` if the disk or peer refuses."""

    def get(self, digest: str) -> Cells:
        """A block, read-only, its content proven by its name: `NotFound`, `Tampered` otherwise."""

    def is_sound(self, digest: str) -> bool:
        """Whether a block is there and its content still what its name says, read anew."""

    def remove(self, digest: str) -> None:
        """Delete a block; one that is gone already is no error."""

    def names(self, *, older_than_seconds: float) -> Iterator[str]:
        """Every block that was put longer ago than this."""


class Matcher(Protocol):
    """Holds blocks and multiplies: no key is ever given to it, and no template but in a `PlainQuery`."""

    def answer(self, query: Question, shelves: Sequence[Wanted]) -> list[Answer]:
        """One answer a shelf, in the order asked.

        A partial scan is an error, never a short answer: `Unavailable` if any block could not be searched.
        """

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every other block, at once or soon: no query will name one.

        `Unavailable` if that cannot be said now; it is said again at the next sweep.
        """


class Asker(Protocol[K_co]):
    """Makes queries for templates of one length. Safe from any thread."""

    def ask(self, numbers: Steps) -> K_co:
        """What decrypts the answers to this one query; its `query` is what to send."""

    def prepare(self) -> None:
        """Make ahead what the next queries need."""


class Keys(Protocol[S_contra, K_contra]):
    """What checks and decrypts the answers of one shelf."""

    def put(self, place: int, secret: S_contra, block: Cells, former: Cells | None) -> None:
        """Know a block, in place of the former one there, or one more at the end."""

    def set_living(self, place: int, living: NDArray[np.bool_]) -> None:
        """Say of all 2048 slots of a block who is there."""

    def count(self) -> int:
        """How many are alive."""

    def check(self, key: K_contra, answer: Answer, *, threads: int = 1) -> None:
        """`Tampered` unless the answer is what an honest matcher would have said."""

    def nearest(
        self, key: K_contra, answer: Answer, *, besides: tuple[int, int] | None = None, threads: int = 1
    ) -> Nearest | None:
        """Who comes nearest, of the living but `besides`."""

    def score_of(self, key: K_contra, answer: Answer, place: int, slot: int) -> float | None:
        """The cosine with one place, None if nobody lives there."""


class Scheme(Protocol[S, K]):
    """One way to seal and to search; every block of a generation is sealed in the same.

    `Unavailable`, saying what to install, where a library is missing.
    """

    def require(self) -> None:
        """Refuse now what would be refused later."""

    def stored(self, templates: NDArray[np.float32], rotation: bytes) -> Steps:
        """Templates (any, d) as they are sealed; `Invalid` unless each is of length one."""

    def asked(self, template: Template, rotation: bytes) -> Steps:
        """One template (d,) as it is asked for."""

    def seal(self, steps: Steps, mask_seed: bytes) -> tuple[Cells, bytes]:
        """A block of 2048 rows under a fresh secret, and that secret, to be kept sealed."""

    def unseal(self, cells: Cells, secret: bytes, mask_seed: bytes, length: int) -> Steps:
        """The steps that were sealed, exactly; `Tampered` if this is no block of this secret."""

    def secret(self, raw: bytes) -> S:
        """A secret as `Keys` takes it."""

    def asker(self, length: int) -> Asker[K]:
        """Who makes queries for templates of this length."""

    def keys(self, mask_seed: bytes, length: int) -> Keys[S, K]:
        """Of a shelf that has no block yet."""


@dataclass(frozen=True, slots=True)
class Schemes:
    """Every scheme by name, and the one that new galleries take."""

    known: Mapping[SchemeName, Scheme[Any, Any]]
    chosen: SchemeName

    def __getitem__(self, name: SchemeName) -> Scheme[Any, Any]:
        return self.known[name]
