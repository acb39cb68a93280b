"""From a form with real photos to a face that is known again, and strangers who are not."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from doorward.people import service
from doorward.vault.service import grant_view, redeem_view
from doorward.vision import weights
from doorward.vision.decoding import load_image
from doorward.vision.quality import assess
from tests.people.office import Office
from tests.people.test_persons_api import FORM, HERE, Desk


@pytest.fixture(scope="module", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


def people_with_photos(folder: Path, least: int) -> list[list[Path]]:
    shown = [sorted(one.glob("*.jpg")) for one in sorted((folder / "faces_lfw").iterdir()) if one.is_dir()]
    found = []
    for shots in shown:
        good = [shot for shot in shots[:8] if assess(load_image(shot)).accepted]
        if len(good) >= least:
            found.append(good)
        if len(found) == 4:
            break
    return found


def send(client: TestClient, person_id: str, shots: list[Path], **more: str) -> dict[str, object]:
    files = [("photos", (f"{number}.jpg", shot.read_bytes())) for number, shot in enumerate(shots)]
    answer = client.post(f"{HERE}/persons/{person_id}/face", data=FORM | more, files=files)
    assert answer.status_code == 200, answer.text
    told: dict[str, object] = answer.json()
    return told


def test_enrolled_people_are_known_on_another_photo_and_strangers_are_not(
    office: Office, real_data: Path
) -> None:
    desk = Desk(office)
    *members, stranger = people_with_photos(real_data, least=4)
    assert len(members) == 3
    ids = []
    for shots in members:
        person_id = desk.register()
        told = send(desk.client, person_id, shots[:3], keep_photos="true")
        assert told["enrolled"], told
        assert len(told["photo_ids"]) == 3  # type: ignore[arg-type]
        ids.append(person_id)
    for expected, shots in zip([*ids, None], [*members, stranger], strict=True):
        seen = assess(load_image(shots[3])).observation
        assert seen is not None
        with office.unit() as unit:
            assert service.identify_face(unit, office.recogniser, seen.template, one_in=200) == expected
    photo_id = desk.done("GET", f"/persons/{ids[0]}?purpose=guard-check")["photo_ids"][0]
    with office.unit() as unit:
        jpeg = redeem_view(
            unit, office.vault, grant_view(unit, office.vault, photo_id, purpose="guard-check")
        )
    assert jpeg.startswith(b"\xff\xd8")


def test_a_stranger_among_the_photos_is_refused_with_a_reason(office: Office, real_data: Path) -> None:
    desk = Desk(office)
    one, other = people_with_photos(real_data, least=4)[:2]
    told = send(desk.client, desk.register(), [*one[:3], other[0]])
    photos = told["photos"]
    assert isinstance(photos, list)
    assert [photo["accepted"] for photo in photos] == [True, True, True, False]
    assert "somebody else" in photos[3]["reason"]
