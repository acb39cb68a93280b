"""Faces as agents seal them: opened by the key holder alone, and nobody's where they are no faces."""

import numpy as np
import pytest

from doorward.core.wire import SealedFace, seal_face
from doorward.people import service
from doorward.vision.model import FaceTemplate
from tests.people.office import Office, direction, near

PLACE = b"here"


def sealed(office: Office, template: FaceTemplate, *, place: bytes = PLACE) -> SealedFace:
    raw = np.ascontiguousarray(template, "<f4").tobytes()
    key_id, ciphertext = seal_face(office.recogniser.matcher.face_key(), raw, PLACE)
    return SealedFace(key_id, ciphertext, place)


def test_a_sealed_face_is_found_and_verified(office: Office) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        face = sealed(office, near(1, 9))
        assert service.identify_face(unit, office.recogniser, face, one_in=200) == person_id
        assert service.verify_face(unit, office.recogniser, person_id, face, one_in=10_000)


@pytest.mark.parametrize(
    "template",
    [
        direction(1) * 9,
        np.zeros(128, np.float32),
        np.full(128, np.nan, np.float32),
        np.full(128, np.inf, np.float32),
    ],
)
def test_numbers_that_would_swell_a_score_are_nobodys(office: Office, template: FaceTemplate) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        face = sealed(office, template)
        assert service.identify_face(unit, office.recogniser, face, one_in=200) is None
        assert not service.verify_face(unit, office.recogniser, person_id, face, one_in=10_000)
    assert len(office.events("face.unreadable")) == 2


def test_a_face_taken_from_another_message_is_nobodys(office: Office) -> None:
    office.known(1)
    with office.unit() as unit:
        face = sealed(office, near(1, 9), place=b"elsewhere")
        assert service.identify_face(unit, office.recogniser, face, one_in=200) is None
    assert len(office.events("face.unreadable")) == 1
