"""What takes two people at the server is not stopped on the command line; the log says it was done alone."""

from collections import Counter
from pathlib import Path

import pytest

from tests.journeys.conftest import Terminal


def alone(doorward: Terminal, site: str = "site_home") -> Counter[str]:
    """What the log says was done alone."""
    found = doorward("audit", "list", "--event", "approval.waived", "--limit", "200", "--site", site).lines
    assert all(line["by"] == "system:console" for line in found)
    assert all(line["facts"]["because"] == "console" for line in found)
    return Counter(line["facts"]["action"] for line in found)


@pytest.fixture
def few(doorward: Terminal, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A site at which two are few."""
    monkeypatch.setenv("DOORWARD_FOUR_EYES__PERSONS", "2")
    monkeypatch.setenv("DOORWARD_FOUR_EYES__LOOKS", "2")
    return doorward


def people(doorward: Terminal, count: int) -> list[str]:
    return [str(doorward("person", "add", f"Person {number}").one["person"]) for number in range(count)]


def test_erasing_and_exporting_many_is_done_alone(few: Terminal, tmp_path: Path) -> None:
    known = people(few, 3)
    for number, one in enumerate(known):
        assert few("person", "export", one, "--out", str(tmp_path / f"{number}.json")).code == 0
        assert alone(few)["people.export-many"] == max(0, number - 1)
    for number, one in enumerate(known):
        assert few("person", "forget", one).code == 0
        assert alone(few)["people.erase-many"] == max(0, number - 1)
    for number, plate in enumerate(("KA 47 TRF", "MB 803 LN", "ZX 19 HOP")):
        assert few("vehicle", "add", plate).code == 0
        assert few("vehicle", "forget", plate).code == 0
        assert alone(few)["vehicles.erase-many"] == max(0, number - 1)


def test_looking_at_many_is_done_alone(few: Terminal) -> None:
    known = people(few, 3)
    for one in (*known[:2], *known[:2]):
        assert few("person", "show", one, "--purpose", "guard-check").code == 0
    assert not alone(few)
    assert few("person", "show", known[2], "--purpose", "guard-check").code == 0
    assert alone(few)["people.look-on"] == 1, "and counting begins anew"
    assert few("person", "show", known[2], "--purpose", "guard-check").code == 0
    assert few("person", "show", known[1], "--purpose", "guard-check").code == 0
    assert alone(few)["people.look-on"] == 1
    assert len(few("person", "list", "--purpose", "guard-check").lines) == 3
    assert alone(few)["people.look-on"] == 2


def test_to_look_faces_up_among_everybody_is_begun_alone(doorward: Terminal) -> None:
    assert doorward("gate", "add", "front", "--one-to-many").code == 0
    assert doorward("gate", "add", "hall").code == 0
    assert alone(doorward)["gates.face-search"] == 1
    assert doorward("gate", "change", "hall", "--identification", "1:n").code == 0
    assert alone(doorward)["gates.face-search"] == 2
    assert doorward("site", "set", "--identification", "1:n").code == 0
    assert alone(doorward)["gates.face-search"] == 3
    assert doorward("gate", "change", "front", "--frames", "1").code == 0
    assert alone(doorward)["gates.face-search"] == 3, "it looked faces up before"


def test_the_root_key_is_changed_and_an_administrator_appointed_alone(doorward: Terminal) -> None:
    assert doorward("keys", "root").one["custodian"] == "file"
    dana = doorward("staff", "add", "dana", "Dana Example", "--role", "administrator").one["id"]
    assert doorward("staff", "add", "edda", "Edda Example", "--role", "administrator").code == 0
    assert doorward("staff", "suspend", dana).one["state"] == "suspended"
    assert doorward("staff", "resume", "dana").one["state"] == "open"
    assert doorward("staff", "remove", "dana").one["state"] == "closed"
    counts = alone(doorward, "*")
    assert (counts["vault.rotate-root"], counts["staff.unseat-approver"]) == (1, 3)
    assert not alone(doorward)


def test_a_face_like_another_persons_is_enrolled_alone_for_a_stated_reason(
    doorward: Terminal, photos: list[Path]
) -> None:
    words = [str(photo) for photo in photos]
    ada = doorward("enrol", "Ada Example", *words).lines[-1]["person"]
    refused = doorward("enrol", "Bo Example", *words)
    assert refused.code == 2 and refused.lines[-1]["likely_same_as"] == [ada]
    assert not alone(doorward)
    twin = doorward("enrol", "Bo Example", *words, "--distinct-reason", "twins, seen by the author")
    assert twin.code == 0 and twin.lines[-1]["enrolled"]
    assert alone(doorward)["people.enrol-alike"] == 1
