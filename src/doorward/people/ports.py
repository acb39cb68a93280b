"""What this room needs from the world: something that finds a face among many."""

from typing import Protocol

from doorward.vision.model import FaceTemplate


class Matcher(Protocol):
    """Finds faces among those enrolled; knows ids and numbers, no names. Safe from any thread.

    No score leaves it: some hundred of them would rebuild a template.
    """

    def enrol(self, subject_id: str, template: FaceTemplate) -> None:
        """Know this subject by this template; a former one is replaced."""

    def forget(self, subject_id: str) -> None:
        """Know this subject no more; no complaint if it was unknown."""

    def identify(self, template: FaceTemplate, cut: float, *, besides: str | None = None) -> str | None:
        """The nearest subject whose cosine reaches the cut, or nobody; `besides` is not looked at."""

    def verify(self, subject_id: str, template: FaceTemplate, cut: float) -> bool:
        """Whether this very subject reaches the cut; False if it is not enrolled."""

    def count(self) -> int:
        """How many are enrolled."""
