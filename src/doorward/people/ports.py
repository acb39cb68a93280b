"""What this room needs from the world: something that finds a face among many."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from doorward.platform.db import Unit
from doorward.vision.model import FaceTemplate


class Matcher(Protocol):
    """Finds faces among those enrolled at the unit's site; knows ids and numbers, no names.

    What a unit enrols and forgets holds once it commits. No answer ever tells how like two faces are.
    """

    def enrol(self, unit: Unit, templates: Mapping[str, FaceTemplate]) -> None:
        """Know these subjects by these templates; former ones are replaced."""

    def forget(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        """Know these subjects no more; no complaint if one was unknown."""

    def identify(
        self, unit: Unit, template: FaceTemplate, cut: float, *, besides: str | None = None
    ) -> str | None:
        """The nearest subject whose cosine reaches the cut, or nobody; `besides` is not looked at."""

    def verify(self, unit: Unit, subject_id: str, template: FaceTemplate, cut: float) -> bool:
        """Whether this very subject reaches the cut; False if it is not enrolled."""

    def count(self, unit: Unit) -> int:
        """How many are enrolled."""

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        """Who of these is not enrolled."""
