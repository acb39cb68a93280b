"""An audit entry, the heads that fix it, and the proofs that tie one to the other."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. `facts` is canonical JSON; `salt` keeps the leaf of an expired entry from being guessed."""

    position: int
    site_id: str
    event: str
    actor: str
    subject_id: str | None
    at_us: int  # microseconds since 1970, UTC
    facts: str
    salt: bytes

    @property
    def at(self) -> datetime:
        """The instant, in UTC."""
        return EPOCH + self.at_us * MICROSECOND


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is stored of a position; `entry` is None once its segment has expired."""

    position: int
    digest: bytes
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class Frontier:
    """Roots of the complete subtrees that make up a tree of `size` leaves, largest first."""

    size: int
    roots: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """The root of the tree of the first `size` entries, at one moment."""

    size: int
    root: bytes
    at_us: int
    key_id: str


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head and the Ed25519 signature over it."""

    head: Head
    signature: bytes


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf stands at a position of the tree of `size` leaves (RFC 9162, 2.1.3)."""

    position: int
    size: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the tree of `second` leaves begins with the tree of `first` (RFC 9162, 2.1.4)."""

    first: int
    second: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """Positions from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry about a subject; `proof` is None until a signed head covers it."""

    entry: Entry
    proof: InclusionProof | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything recorded about one subject, and the head that the proofs lead to."""

    entries: tuple[LedgerEntry, ...]
    head: SignedHead | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a full check walked over and found whole."""

    size: int
    expired: int
    heads: int
    root: bytes


def microseconds(moment: datetime) -> int:
    """An instant as microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND
