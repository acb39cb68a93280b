"""What the gates' server and a decider elsewhere say to each other: ids and sealed faces, never a score.

Each message travels over TLS in a signed line (`matching.messages_signed`), which proves who says it, now and
once. A face to be enrolled is sealed to the decider alone and bound to whose it is; a face to be found stays
sealed as its agent sealed it.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeVar

from doorward.core.encoding import canonical_json
from doorward.core.wire.codecs import IDENTIFIER, parse
from doorward.core.wire.faces import SEALED_BYTES, SealedFace
from doorward.core.wire.shapes import Reader, flag, many, maybe, octets, plain, record, text, whole

MOST_FACES: Final = 256  # enrolled by one message
MOST_IDS: Final = 1000
LARGEST: Final = 256 * 1024  # of any message
LARGEST_FOUND: Final = 1024
FOUND_BYTES: Final = 192  # whoever was found or not, the answer is of one length

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class NewFace:
    """A template of a subject, sealed to the decider for the place `enrolled_as`."""

    subject_id: str
    key_id: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class EnrolFaces:
    """Know these subjects at a site, in place of former templates."""

    site_id: str
    requester: str
    faces: tuple[NewFace, ...]


@dataclass(frozen=True, slots=True)
class SomeSubjects:
    """Subjects of a site: those to forget, or those of whom is asked who is missing."""

    site_id: str
    requester: str
    subject_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WhoseFace:
    """Who is this, wrong at most once in so many strangers; with `claimed`, whether it is that one."""

    site_id: str
    requester: str
    face: SealedFace
    one_in: int
    claimed: str | None
    besides: str | None


@dataclass(frozen=True, slots=True)
class OneSite:
    """A site, to count its faces; with `after`, to list them from that id on."""

    site_id: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """Whose face it is, or nobody's; and why it would be nobody's just now, whoever it is."""

    subject_id: str | None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many faces."""

    faces: int


@dataclass(frozen=True, slots=True)
class Listed:
    """Some subjects in order; `more` if there are further ones."""

    subject_ids: tuple[str, ...]
    more: bool


_SEALED = octets(SEALED_BYTES, SEALED_BYTES)
_KEY_ID = octets(8, 8)
_IDS = many(IDENTIFIER, MOST_IDS)
_FACE = record(SealedFace, key_id=_KEY_ID, sealed=_SEALED, place=octets(1, 512))
_NEW = record(NewFace, subject_id=IDENTIFIER, key_id=_KEY_ID, sealed=_SEALED)
_ONE_IN = whole(1, 2**53 - 1)
_REQUESTER = text(128)
_SHAPES: Final[dict[type, Reader[Any]]] = {
    EnrolFaces: record(EnrolFaces, site_id=IDENTIFIER, requester=_REQUESTER, faces=many(_NEW, MOST_FACES)),
    SomeSubjects: record(SomeSubjects, site_id=IDENTIFIER, requester=_REQUESTER, subject_ids=_IDS),
    WhoseFace: record(
        WhoseFace,
        site_id=IDENTIFIER,
        requester=_REQUESTER,
        face=_FACE,
        one_in=_ONE_IN,
        claimed=maybe(IDENTIFIER),
        besides=maybe(IDENTIFIER),
    ),
    OneSite: record(OneSite, site_id=IDENTIFIER, after=maybe(IDENTIFIER)),
    Found: record(Found, subject_id=maybe(IDENTIFIER), doubt=maybe(text(24))),
    Counted: record(Counted, faces=whole(0, 2**53 - 1)),
    Listed: record(Listed, subject_ids=_IDS, more=flag),
}


def written(message: Any) -> bytes:
    """A message as bytes; what was found is of one length, so that its size does not tell."""
    body = canonical_json(plain(message))
    return body.ljust(FOUND_BYTES) if isinstance(message, Found) else body


def read(shape: type[M], body: bytes) -> M:
    """The message of this shape; `Invalid` for anything else."""
    message: M = _SHAPES[shape](parse(body, LARGEST))
    return message


def enrolled_as(site_id: str, subject_id: str) -> bytes:
    """The place that an enrolled face is bound to: taken from its message, it is nobody else's."""
    return "\n".join(("doorward/1/enrolled-face", site_id, subject_id)).encode()
