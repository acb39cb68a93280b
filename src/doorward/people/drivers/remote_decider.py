"""A decider elsewhere as this room's matcher: no template and no key of the gallery is ever here."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol, TypeVar

import numpy as np

from doorward.core.batches import in_batches
from doorward.core.errors import Invalid, Tampered, Unavailable
from doorward.core.wire import SealedFace, seal_face
from doorward.core.wire.deciding import (
    LARGEST,
    LARGEST_FOUND,
    MOST_FACES,
    MOST_IDS,
    Counted,
    EnrolFaces,
    Found,
    Listed,
    NewFace,
    OneSite,
    SomeSubjects,
    WhoseFace,
    enrolled_as,
    read,
    written,
)
from doorward.gallery.model import Doubt
from doorward.people.ports import Face
from doorward.people.service.deciding import FORGET_THERE
from doorward.people.store import faces
from doorward.platform.db import Unit
from doorward.platform.jobs import enqueue
from doorward.vision.model import FaceTemplate

T = TypeVar("T")

# A decider that was silent is not waited for again at once: whoever asks holds up the other gates.
REST_SECONDS: Final = 5.0
DEEDS: Final = frozenset({"enrol", "forget", "missing", "list"})
DEED_SECONDS: Final = 20.0
RESTING: Final = "The decider did not answer just now: faces are not looked up until it does."
SAID: Final = {
    "busy": "The decider has more searches than it takes: try again, or give it a faster machine.",
    "disk": "The decider cannot read or write, or its matcher does not answer: see its log.",
    "stale": "The decider takes this request for an old one: set the clocks of both machines by NTP.",
    "unknown": "The decider does not know this server: put `doorward keys public decider` into its "
    "deciding.servers, and its own keys into decider.public_key.",
    "other-key": "A face was sealed to another key than the decider's: put its present keys into "
    "decider.public_key.",
}


class Line(Protocol):
    """Signed questions and answers."""

    def ask(self, name: str, body: bytes, longest: int, *, seconds: float | None = None) -> bytes:
        """The answer; `Unavailable` or `Tampered` if there is none that counts."""

    def close(self) -> None:
        """Let go of the connections."""


class RemoteDecider:
    """Tells and asks a decider over a line. Safe from any thread."""

    def __init__(
        self, line: Line, face_key: bytes, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._line = line
        self._face_key = face_key
        self._monotonic = monotonic
        self._rests_until = float("-inf")
        self._told = threading.local()

    def enrol(self, unit: Unit, templates: Mapping[str, FaceTemplate]) -> None:
        for some in in_batches(sorted(templates), MOST_FACES):
            new = tuple(self._new(unit, subject_id, templates[subject_id]) for subject_id in some)
            self._ask("enrol", EnrolFaces(unit.site_id, unit.actor.id, new), Counted)

    def forget(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        """Promised: it is told once this unit is kept, at least once; until then nobody here believes it."""
        for some in in_batches(subject_ids, MOST_IDS):
            enqueue(unit, FORGET_THERE, subject_ids=list(some))

    def identify(self, unit: Unit, face: Face, *, one_in: int, besides: str | None = None) -> str | None:
        found = self._whose(unit, face, one_in=one_in, besides=besides)
        # It may not have heard yet that somebody was forgotten.
        return found if found is not None and _is_enrolled(unit, found) else None

    def verify(self, unit: Unit, subject_id: str, face: Face, *, one_in: int) -> bool:
        if not _is_enrolled(unit, subject_id):
            return False
        return self._whose(unit, face, one_in=one_in, claimed=subject_id) == subject_id

    def doubt(self, unit: Unit) -> Doubt | None:
        """As it was told with this thread's last answer."""
        said: str | None = getattr(self._told, "doubt", None)
        return Doubt(said) if said in list(Doubt) else None

    def count(self, unit: Unit) -> int:
        return self._ask("count", OneSite(unit.site_id, None), Counted).faces

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        lacking: list[str] = []
        for some in in_batches(subject_ids, MOST_IDS):
            asked = SomeSubjects(unit.site_id, unit.actor.id, tuple(some))
            lacking += self._ask("missing", asked, Listed).subject_ids
        return lacking

    def prepare(self) -> None:
        """The decider prepares itself."""

    def face_key(self) -> bytes:
        return self._face_key

    def is_elsewhere(self) -> bool:
        return True

    def forget_there(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        for some in in_batches(subject_ids, MOST_IDS):
            self._ask("forget", SomeSubjects(unit.site_id, unit.actor.id, tuple(some)), Counted)

    def list_there(self, unit: Unit, *, after: str | None) -> tuple[Sequence[str], bool]:
        listed = self._ask("list", OneSite(unit.site_id, after), Listed)
        return listed.subject_ids, listed.more

    def close(self) -> None:
        """Let go of the connections."""
        self._line.close()

    def _whose(
        self, unit: Unit, face: Face, *, one_in: int, claimed: str | None = None, besides: str | None = None
    ) -> str | None:
        sealed = face if isinstance(face, SealedFace) else self._sealed(face, b"doorward/1/looked-up-face")
        asked = WhoseFace(unit.site_id, unit.actor.id, sealed, one_in, claimed, besides)
        self._told.doubt = Doubt.DECIDER_AWAY
        try:
            found = self._ask("verify" if claimed else "identify", asked, Found, longest=LARGEST_FOUND)
        except Unavailable:
            return None
        self._told.doubt = found.doubt
        return found.subject_id

    def _new(self, unit: Unit, subject_id: str, template: FaceTemplate) -> NewFace:
        face = self._sealed(template, enrolled_as(unit.site_id, subject_id))
        return NewFace(subject_id, face.key_id, face.sealed)

    def _sealed(self, template: FaceTemplate, place: bytes) -> SealedFace:
        raw = np.ascontiguousarray(template, "<f4").tobytes()
        return SealedFace(*seal_face(self._face_key, raw, place), place)

    def _ask(self, name: str, message: object, answer: type[T], *, longest: int = LARGEST) -> T:
        """Gates wait for some answers: those are not asked for while it rests."""
        is_deed = name in DEEDS
        if not is_deed and self._monotonic() < self._rests_until:
            raise Unavailable(RESTING)
        try:
            body = self._line.ask(name, written(message), longest, seconds=DEED_SECONDS if is_deed else None)
        except Unavailable as error:
            if "code" not in error.facts:  # it said nothing; a refusal in words came at once
                self._rests_until = self._monotonic() + REST_SECONDS
            raise
        except Tampered as error:  # for gates it is as if it had not answered; the alarm says why
            raise Unavailable(str(error), code=error.code) from error
        self._rests_until = float("-inf")
        try:
            return read(answer, body)
        except Invalid as error:
            raise Tampered("The decider's answer is signed, and is none.") from error


def _is_enrolled(unit: Unit, subject_id: str) -> bool:
    return faces.find_face(unit.rows, unit.site_id, subject_id) is not None
