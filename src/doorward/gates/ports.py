"""What gates need from whoever knows people and vehicles."""

from collections.abc import Iterable
from typing import Protocol

from doorward.core.wire import Credential, PlateEvidence, SealedFace
from doorward.gates.model import AlarmKind, PinAnswer, Subject
from doorward.platform.db import Unit


class Identifier(Protocol):
    """Tells who was seen. `one_in` is the promise: at most one wrong answer in so many attempts."""

    def person_by_card(self, unit: Unit, number: str) -> str | None: ...
    def person_by_qr(self, unit: Unit, token: str) -> str | None: ...
    def is_face_of(self, unit: Unit, person_id: str, face: SealedFace, *, one_in: int) -> bool: ...
    def person_by_face(self, unit: Unit, face: SealedFace, *, one_in: int) -> str | None: ...

    def doubt(self, unit: Unit) -> AlarmKind | None:
        """What to alarm with, where no face is told just now, whoever shows it; None if all is well.

        Asked in the same unit, after a face that was nobody's.
        """
        ...

    def face_key(self) -> bytes:
        """The X25519 public key to which agents seal faces."""
        ...

    def check_pin(self, unit: Unit, person_id: str, pin: str) -> PinAnswer: ...
    def vehicle_by_plate(self, unit: Unit, plate: PlateEvidence) -> str | None: ...
    def subject_of(self, unit: Unit, subject_id: str) -> Subject | None: ...

    def credentials(self, unit: Unit) -> Iterable[tuple[Credential, str, str]]:
        """Kind, plain value and holder of each credential an agent may know offline (as a keyed hash)."""
        ...
