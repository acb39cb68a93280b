"""The people room as gates ask it: who holds a card, whose face, which vehicle."""

from collections.abc import Iterator
from dataclasses import dataclass

from doorward.core.wire import Credential, PlateEvidence, SealedFace
from doorward.gallery.model import Doubt
from doorward.gates.model import AlarmKind, PinAnswer, Subject
from doorward.people.model import PinCheck
from doorward.people.service.credentials import (
    check_pin,
    find_by_card,
    find_by_qr,
    unsealed_credentials,
)
from doorward.people.service.enrolment import identify_face, verify_face
from doorward.people.service.persons import standing_of
from doorward.people.service.recogniser import Recogniser
from doorward.people.service.vehicles import find_vehicle
from doorward.platform.db import Unit

ANSWERS = {
    PinCheck.RIGHT: PinAnswer.RIGHT,
    PinCheck.DURESS: PinAnswer.DURESS,
    PinCheck.WRONG: PinAnswer.WRONG,
    PinCheck.LOCKED: PinAnswer.LOCKED,
}
ALARMS = {
    Doubt.AWAY: AlarmKind.MATCHER_AWAY,
    Doubt.DECIDER_AWAY: AlarmKind.DECIDER_AWAY,
    Doubt.FORGED: AlarmKind.MATCHER_FORGED,
    Doubt.ASKED_TOO_OFTEN: AlarmKind.SEARCHED_TOO_OFTEN,
}


@dataclass(frozen=True, slots=True)
class Known:
    """An `Identifier` that asks the people room."""

    recogniser: Recogniser

    def person_by_card(self, unit: Unit, number: str) -> str | None:
        """Who holds this card."""
        return find_by_card(unit, self.recogniser.vault, number)

    def person_by_qr(self, unit: Unit, token: str) -> str | None:
        """Whose code this is."""
        return find_by_qr(unit, self.recogniser.vault, token)

    def is_face_of(self, unit: Unit, person_id: str, face: SealedFace, *, one_in: int) -> bool:
        """Whether this is that person, wrong at most once in so many strangers' attempts."""
        return verify_face(unit, self.recogniser, person_id, face, one_in=one_in)

    def person_by_face(self, unit: Unit, face: SealedFace, *, one_in: int) -> str | None:
        """Who among everybody this is, wrong at most once in so many strangers' attempts."""
        return identify_face(unit, self.recogniser, face, one_in=one_in)

    def doubt(self, unit: Unit) -> AlarmKind | None:
        """What to alarm with, where no face is told just now, whoever shows it."""
        doubt = self.recogniser.matcher.doubt(unit)
        return ALARMS[doubt] if doubt is not None else None

    def face_key(self) -> bytes:
        """The X25519 public key to which agents seal faces."""
        return self.recogniser.matcher.face_key()

    def check_pin(self, unit: Unit, person_id: str, pin: str) -> PinAnswer:
        """What a PIN is worth."""
        return ANSWERS[check_pin(unit, self.recogniser.vault, person_id, pin)]

    def vehicle_by_plate(self, unit: Unit, plate: PlateEvidence) -> str | None:
        """The known vehicle a read belongs to; two that fit equally are none."""
        return find_vehicle(unit, self.recogniser, plate.candidates).vehicle_id

    def subject_of(self, unit: Unit, subject_id: str) -> Subject | None:
        """What limits a person or vehicle."""
        standing = standing_of(unit, subject_id)
        if standing is None:
            return None
        return Subject(
            id=standing.subject_id,
            kind=standing.kind,
            valid_from=standing.valid_from,
            valid_until=standing.valid_until,
            suspended=standing.suspended,
            group_ids=standing.group_ids,
            passback_exempt=standing.passback_exempt,
        )

    def credentials(self, unit: Unit) -> Iterator[tuple[Credential, str, str]]:
        """Kind, plain value and holder of each card, code and plate."""
        for kind, value, holder_id in unsealed_credentials(unit, self.recogniser):
            yield Credential(kind), value, holder_id
        for vehicle_id, plate in sorted(self.recogniser.gallery(unit).plates.items()):
            yield Credential.PLATE, plate, vehicle_id
