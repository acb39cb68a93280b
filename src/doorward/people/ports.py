"""What this room needs from the world: something that finds a face among many."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from doorward.core.wire import SealedFace
from doorward.gallery.model import Doubt
from doorward.platform.db import Unit
from doorward.vision.model import FaceTemplate

Face: TypeAlias = FaceTemplate | SealedFace
"""A face to look for: measured here from a photo, or as an agent sealed it for the matcher alone."""


class Matcher(Protocol):
    """Finds faces among those enrolled at the unit's site; knows ids and numbers, no names.

    What a unit enrols and forgets holds once it commits. No answer ever tells how like two faces are.
    `one_in` is the promise: at most one stranger in so many is taken for somebody. A sealed face that does
    not open is nobody's. `Unavailable` where not everybody could be searched: that is never "unknown".
    """

    def enrol(self, unit: Unit, templates: Mapping[str, FaceTemplate]) -> None:
        """Know these subjects by these templates; former ones are replaced."""

    def forget(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        """Know these subjects no more; no complaint if one was unknown."""

    def identify(self, unit: Unit, face: Face, *, one_in: int, besides: str | None = None) -> str | None:
        """The nearest subject, if it is near enough; `besides` is not looked at."""

    def verify(self, unit: Unit, subject_id: str, face: Face, *, one_in: int) -> bool:
        """Whether this very subject is near enough; False if it is not enrolled."""

    def doubt(self, unit: Unit) -> Doubt | None:
        """Why nobody is found just now, whoever they are; asked after a face that was nobody's."""

    def count(self, unit: Unit) -> int:
        """How many are enrolled."""

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        """Who of these is not enrolled."""

    def prepare(self) -> None:
        """Do ahead whatever would make the first search slow."""

    def face_key(self) -> bytes:
        """The X25519 public key to which agents seal faces."""

    def is_elsewhere(self) -> bool:
        """Whether templates lie with the matcher alone: then none is kept here, sealed or not."""


class Decider(Matcher, Protocol):
    """A matcher that is another program with templates of its own.

    What it is told within a unit stays even where the unit is rolled back: it is reconciled later.
    """

    def forget_there(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        """Tell it now; as often as it is said, with one effect."""

    def list_there(self, unit: Unit, *, after: str | None) -> tuple[Sequence[str], bool]:
        """Some of whom it knows for ten minutes or longer, in order, after one id; whether there are more."""
