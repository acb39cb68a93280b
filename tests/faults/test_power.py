"""Power fails under the server at every step of what it does; it starts again by itself, nothing is lost."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest

from doorward.core.wire import Outcome, Signed
from doorward.gates.model import PassageState
from doorward.vault.service import sweep_objects
from tests.faults.journal import Journal
from tests.faults.pictures import portrait
from tests.faults.processes import SITE_ID, Running
from tests.faults.site import GATE, Site

# The step at which power fails, and how many decisions are kept when it does.
OF_A_PASSAGE = [
    ("received", 0),
    ("sql:FROM people_credentials", 0),
    ("sql:FROM gate_grants", 0),
    ("sql:INSERT INTO gate_passages", 0),
    ("sql:INSERT INTO audit_entries", 0),
    ("commit", 0),
    ("committed", 1),
    ("answering", 1),
    ("answered", 1),
]
OF_ANY_WRITE = ["sql:INSERT INTO audit_entries", "commit", "committed"]
OF_AN_ENROLMENT = ["sql:INSERT INTO people_templates", "sql:INSERT INTO vault_photos", "committed"]
OF_A_ROTATION = ["file:os.rename:keyring.json.new", "commit", "committed"]

Ask = Callable[[Running], httpx.Response]


def cut(site: Site, step: str, path: str, ask: Ask) -> httpx.Response | None:
    """Ask a server whose power fails at that step; its answer, if it still left."""
    with site.serving(step, path) as server:
        try:
            return ask(server)
        except httpx.TransportError:
            return None
        finally:
            assert server.died()


def objects(site: Site) -> list[Path]:
    return [path for path in (site.folder / "data" / "objects").glob("*/*") if path.is_file()]


def sweep(site: Site) -> None:
    """An hour later, as far as files tell."""
    for path in objects(site):
        os.utime(path, (time.time() - 7200,) * 2)
    with site.opened() as house, house.unit() as unit:
        sweep_objects(unit, house.vault)


@pytest.mark.parametrize(("step", "kept"), OF_A_PASSAGE)
def test_power_may_fail_at_any_step_of_a_passage(site: Site, step: str, kept: int) -> None:
    sighting = site.sighting(number=7)
    answer = cut(site, step, "/edge/sightings", lambda server: server.ask(sighting))
    told = [site.permit(answer)] if answer is not None else []
    assert len(told) == (step == "answered")
    before = site.passages()
    assert [passage.state for passage in before] == [PassageState.PERMITTED] * kept
    with site.serving() as server:
        again = site.permit(server.ask(sighting))
        once_more = site.permit(server.ask(sighting))
    [passage] = site.passages()
    assert again == once_more
    assert (again.permit_id, again.opens, again.sequence) == (passage.id, True, 7)
    assert {one.permit_id for one in told} | {one.id for one in before} <= {passage.id}
    assert site.events().count("gate.decided") == 1
    assert site.verified().size > 0


@pytest.mark.parametrize("step", ["commit", "committed"])
def test_power_may_fail_under_many_that_are_decided_together(site: Site, step: str) -> None:
    sightings = [site.sighting() for _ in range(12)]

    def ask(server: Running, signed: Signed) -> httpx.Response | None:
        try:
            return server.ask(signed)
        except httpx.TransportError:
            return None

    with site.serving(step, "/edge/sightings") as server, ThreadPoolExecutor(12) as pool:
        told = list(pool.map(partial(ask, server), sightings))
        assert server.died()
    kept = {passage.sequence: passage.id for passage in site.passages()}
    with site.serving() as server:
        again = [site.permit(server.ask(signed)) for signed in sightings]
    assert all(permit.opens for permit in again)
    for answer, permit in zip(told, again, strict=True):
        assert answer is None or site.permit(answer) == permit
        assert kept.get(permit.sequence, permit.permit_id) == permit.permit_id
    assert {one.sequence: one.id for one in site.passages()} == {p.sequence: p.permit_id for p in again}
    assert site.verified().size > 0


@pytest.mark.parametrize("step", OF_ANY_WRITE)
def test_power_may_fail_while_an_agent_reports_what_its_barrier_did(site: Site, step: str) -> None:
    with site.serving() as server:
        permit = site.permit(server.ask(site.sighting()))
    outcome = Outcome(permit_id=permit.permit_id, gate_id=GATE, moved=True, at=datetime.now(UTC))
    body = site.sign(outcome).to_json()
    cut(site, step, "/edge/outcomes", lambda server: server.post("/edge/outcomes", body))
    with site.serving() as server:
        assert server.post("/edge/outcomes", body).status_code == 200
    assert [passage.state for passage in site.passages()] == [PassageState.OPENED]
    assert site.events().count("gate.opened") == 1
    assert site.verified().size > 0


@pytest.mark.parametrize("step", ["sql:INSERT INTO gate_presence", "commit", "committed"])
def test_power_may_fail_while_an_offline_journal_is_taken_over(site: Site, step: str) -> None:
    journal = Journal(site)
    journal.opened()
    journal.opened()
    cut(site, step, "/edge/journal", lambda server: server.post("/edge/journal", journal.to_json()))
    assert len(site.passages()) in (0, 2)
    with site.serving() as server:
        assert journal.is_held(server.post("/edge/journal", journal.to_json()))
    assert [passage.state for passage in site.passages()] == [PassageState.OPENED] * 2
    assert site.events().count("gate.decided-offline") == 2
    assert site.verified().size > 0


@pytest.mark.parametrize("step", OF_AN_ENROLMENT)
def test_power_may_fail_while_a_face_is_enrolled_with_its_photos(site: Site, step: str) -> None:
    path = f"/persons/{site.facts.person_id}/face"
    fields = {
        "basis": "consent",
        "notice": "1",
        "override_reason": "one photo will do",
        "keep_photos": "true",
    }
    picture = portrait()

    def enrol(server: Running) -> httpx.Response:
        return server.client.post(
            f"/api/v1/sites/{SITE_ID}{path}",
            data=fields,
            files={"photos": ("photo.jpg", picture, "image/jpeg")},
            headers={"Idempotency-Key": "enrol-once", "Content-Type": "multipart/form-data; boundary=same"},
        )

    cut(site, step, path, enrol)
    with site.serving() as server:
        answer = enrol(server)
        assert (answer.status_code, answer.json()["enrolled"]) == (200, True), answer.text
        [photo_id] = answer.json()["photo_ids"]
        leave = server.post(f"/vault/photos/{photo_id}/grants", {"purpose": "guard-check"}).json()
        assert server.post("/vault/views", leave).content.startswith(b"\xff\xd8")
    sweep(site)
    assert len(objects(site)) == 1
    assert site.events().count("face.enrolled") == 1
    assert site.verified().size > 0


def test_power_may_fail_in_the_middle_of_a_photo_and_the_sweep_clears_it_away(site: Site) -> None:
    words = ["photo", str(site.folder), site.facts.person_id]
    pid = site.zygote.start("deed", words, site.folder.parent / "deed")
    assert site.zygote.wait(pid) == -signal.SIGXFSZ
    [half] = objects(site)
    assert half.stat().st_size > 0
    sweep(site)
    assert objects(site) == []
    assert site.verified().size > 0


@pytest.mark.parametrize("step", ["sql:DELETE FROM vault_subject_keys", "commit", "committed"])
def test_power_may_fail_while_somebody_is_erased(site: Site, step: str) -> None:
    path = f"/api/v1/sites/{SITE_ID}/persons/{site.facts.person_id}"
    headers = {"Idempotency-Key": "erase-once"}
    cut(site, step, path, lambda server: server.client.delete(path, headers=headers))
    with site.serving() as server:
        answer = server.client.delete(path, headers=headers)
        assert answer.status_code == 200, answer.text
        assert site.permit(server.ask(site.sighting())).because == "unknown"
    assert site.events().count("subject.erased") == 1
    assert site.verified().size > 0


@pytest.mark.parametrize("step", OF_A_ROTATION)
def test_power_may_fail_while_a_key_is_rotated(site: Site, step: str) -> None:
    path, body = "/api/v1/vault/rotations", {"use": "wrap", "purpose": "people"}
    cut(site, step, path, lambda server: server.client.post(path, json=body))
    with site.serving() as server:
        assert site.permit(server.ask(site.sighting())).opens
        assert server.client.post(path, json=body).status_code == 200
        assert site.permit(server.ask(site.sighting())).opens
    assert site.verified().size > 0
