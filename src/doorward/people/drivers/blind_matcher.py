"""The encrypted search as this room's matcher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from doorward.audit.service import record
from doorward.core.errors import Invalid, Tampered, Unavailable
from doorward.core.keys import FaceKeys
from doorward.core.wire import SealedFace, open_face
from doorward.gallery import service
from doorward.gallery.model import Doubt
from doorward.gallery.service import KeyHolder
from doorward.matching.preparing import prepare
from doorward.people.ports import Face
from doorward.platform.db import Unit
from doorward.vision.model import FaceTemplate
from doorward.vision.thresholds import face_threshold


@dataclass(frozen=True, slots=True)
class BlindMatcher:
    """Asks the gallery's key holder, in this process."""

    keyholder: KeyHolder
    faces: FaceKeys

    def enrol(self, unit: Unit, templates: Mapping[str, FaceTemplate]) -> None:
        service.enrol(unit, self.keyholder, templates)

    def forget(self, unit: Unit, subject_ids: Sequence[str]) -> None:
        service.forget(unit, self.keyholder, subject_ids)

    def identify(self, unit: Unit, face: Face, *, one_in: int, besides: str | None = None) -> str | None:
        def cut(size: int) -> float:
            return face_threshold(one_in=one_in, gallery_size=size)

        try:
            return service.identify(unit, self.keyholder, self._opened(face), cut, besides=besides)
        except (Tampered, Invalid) as error:
            _note_unreadable(unit, error)
        except Unavailable:
            self.keyholder.away.add(unit.site_id)
        return None

    def verify(self, unit: Unit, subject_id: str, face: Face, *, one_in: int) -> bool:
        cut = face_threshold(one_in=one_in, gallery_size=1)
        try:
            return service.verify(unit, self.keyholder, subject_id, self._opened(face), cut)
        except (Tampered, Invalid) as error:
            _note_unreadable(unit, error)
        except Unavailable:
            self.keyholder.away.add(unit.site_id)
        return False

    def doubt(self, unit: Unit) -> Doubt | None:
        return service.doubt(unit, self.keyholder)

    def count(self, unit: Unit) -> int:
        return service.count(unit, self.keyholder)

    def missing(self, unit: Unit, subject_ids: Sequence[str]) -> list[str]:
        return service.missing(unit, subject_ids)

    def prepare(self) -> None:
        prepare()

    def face_key(self) -> bytes:
        return self.faces.public

    def is_elsewhere(self) -> bool:
        return False

    def _opened(self, face: Face) -> FaceTemplate:
        if not isinstance(face, SealedFace):
            return face
        return np.frombuffer(open_face(face, self.faces.private), "<f4").astype(np.float32)


def _note_unreadable(unit: Unit, error: Tampered | Invalid) -> None:
    """A face that is none is nobody's; that an agent sent such a thing belongs in the log."""
    record(unit, "face.unreadable", code=error.code)
