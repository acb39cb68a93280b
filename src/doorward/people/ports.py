"""What this room needs from the world: something that finds a face among many."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from doorward.core.wire import SealedFace
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

    def count(self, unit: Unit) -> int:
        """How many are enrolled."""

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        """Who of these is not enrolled."""

    def face_key(self) -> bytes:
        """The X25519 public key to which agents seal faces."""
