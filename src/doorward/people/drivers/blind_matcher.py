"""The encrypted search as this room's matcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doorward.gallery import service
from doorward.gallery.service import KeyHolder
from doorward.platform.db import Unit
from doorward.vision.model import FaceTemplate


@dataclass(frozen=True, slots=True)
class BlindMatcher:
    """Asks the gallery's key holder."""

    keyholder: KeyHolder

    def enrol(self, unit: Unit, templates: Mapping[str, FaceTemplate]) -> None:
        service.enrol(unit, self.keyholder, templates)

    def forget(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        service.forget(unit, self.keyholder, subject_ids)

    def identify(
        self, unit: Unit, template: FaceTemplate, cut: float, *, besides: str | None = None
    ) -> str | None:
        return service.identify(unit, self.keyholder, template, cut, besides=besides)

    def verify(self, unit: Unit, subject_id: str, template: FaceTemplate, cut: float) -> bool:
        return service.verify(unit, self.keyholder, subject_id, template, cut)

    def count(self, unit: Unit) -> int:
        return service.count(unit, self.keyholder)

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        return service.missing(unit, subject_ids)
