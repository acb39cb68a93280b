"""People enrol, pass and are forgotten while the gallery lies with another program."""

import json
import os
import subprocess
import sys
import time
from threading import Thread

import pytest

from doorward.app.house import open_house
from doorward.audit.service import list_entries
from doorward.core.errors import DoorwardError, Unavailable
from doorward.gallery import store as gallery_store
from doorward.people import service as people
from doorward.platform.paging import PageRequest
from tests.conftest import GUARD, SITE
from tests.decider.world import BOTH_GATE, Running, Site
from tests.people.office import direction, near

DOORWARD = [sys.executable, "-c", "from doorward.app.cli import main; main()"]


def test_somebody_enrols_passes_and_is_forgotten(running: Running, site: Site, seed: int) -> None:
    stranger = seed + 100_000
    person_id = site.known(seed)
    before = site.faces()
    assert site.passes(seed) == "granted"
    assert site.passes(stranger) == "unknown"
    card = {"card": site.cards[person_id]}
    assert site.passes(seed, gate=BOTH_GATE, **card) == "granted"
    assert site.passes(stranger, gate=BOTH_GATE, **card) == "face-mismatch"
    site.forget(person_id)
    assert site.passes(seed) == "unknown"  # before the decider heard of it
    assert site.faces() == before
    site.jobs()
    assert site.faces() == before - 1
    there = open_house(running.folder)
    try:
        with there.database.unit(GUARD, SITE) as unit:
            assert not list(gallery_store.list_templates(unit.rows, SITE, [person_id]))
            told = [one.event for one in list_entries(unit, PageRequest(None, 20)).items]
    finally:
        there.close()
    assert {"gallery.face-erased", "subject.erased"} <= set(told)


def test_a_face_withdrawn_and_enrolled_again_stays(site: Site, seed: int) -> None:
    person_id = site.known(seed)
    with site.unit() as unit:
        people.withdraw_face(unit, site.house.recogniser, person_id)
    assert site.passes(seed) == "unknown"
    site.enrol(person_id, seed)
    site.jobs()  # the promise to forget comes after the new enrolment
    assert site.passes(seed) == "granted"


def test_enrolling_again_replaces(site: Site, seed: int) -> None:
    person_id = site.known(seed)
    faces = site.faces()
    site.enrol(person_id, seed + 200_000)
    assert (site.passes(seed), site.passes(seed + 200_000), site.faces()) == ("unknown", "granted", faces)


def test_a_likely_double_is_told(site: Site, seed: int) -> None:
    known = site.known(seed)
    other = site.person()
    with site.unit() as unit:
        found = site.decider.identify(unit, near(seed, 7), one_in=1000, besides=other)
        assert (found, site.decider.identify(unit, near(seed, 7), one_in=1000, besides=known)) == (
            known,
            None,
        )


def test_its_gallery_is_looked_after_by_the_commands_of_a_site(
    running: Running, site: Site, seed: int
) -> None:
    person_id = site.known(seed)
    for words in (["check"], ["renew"], ["show"]):
        done = subprocess.run(
            [*DOORWARD, "--folder", str(running.folder), "--json", "gallery", *words],
            env=os.environ | {"DOORWARD_SITE": SITE},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["faces"] == site.faces()
    assert site.passes(seed) == "granted"
    assert site.missing([person_id]) == []


def test_while_it_is_away_faces_wait_and_cards_pass(running: Running, site: Site, seed: int) -> None:
    person_id = site.known(seed)
    running.kill()
    assert site.passes(seed) == "face-delayed"
    began = time.monotonic()
    assert site.passes(seed) == "face-delayed"
    assert time.monotonic() - began < 0.5
    assert site.scene.alarms().count("decider-away") == 1
    assert site.by_pin(person_id) == "granted"
    site.round("gates.tell_away")
    assert "decider-away" in site.scene.alarms()
    with pytest.raises(Unavailable), site.unit() as unit:
        site.decider.enrol(unit, {person_id: direction(seed)})
    faces = site.house_count()
    site.forget(person_id)
    assert site.jobs() == 2
    assert site.jobs() == 0  # what the decider must hear is promised anew
    assert site.house_count() == faces - 1
    running.start()
    site.decider._rests_until = 0.0
    assert site.passes(seed) == "unknown"


def test_a_decider_that_is_killed_while_it_enrols_loses_nobody_in_silence(
    running: Running, site: Site, seed: int
) -> None:
    wanted = {site.person(): seed + 300_000 + number for number in range(12)}
    done: dict[str, int] = {}

    def enrol_all() -> None:
        for person_id, face in wanted.items():
            try:
                site.enrol(person_id, face)
                done[person_id] = face
            except (DoorwardError, AssertionError):  # away, or in doubt
                continue

    thread = Thread(target=enrol_all)
    thread.start()
    while len(done) < 3:
        time.sleep(0.01)
    running.kill()
    running.start()
    site.decider._rests_until = 0.0
    thread.join()
    assert site.missing(list(done)) == []
    assert {site.passes(face) for face in done.values()} == {"granted"}
    for person_id, face in wanted.items():  # and whoever was refused is enrolled by trying again
        if person_id not in done:
            site.enrol(person_id, face)
            assert site.passes(face) == "granted"
