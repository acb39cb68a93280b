"""What the gates forget, and what they never learn."""

from dataclasses import replace
from pathlib import Path

import pytest

from doorward.core.errors import NotFound
from doorward.gates import service
from doorward.gates.model import Factor, Gate, Reason, SiteRules, Strictness
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_person
from doorward.people.service.forgetting import SUBJECT_FORGOTTEN, forget_person
from doorward.platform.db import Database
from doorward.platform.jobs import run_due
from doorward.vault.service import Vault
from tests.conftest import SteppingClock
from tests.gates.scene import HALL, Scene, plate
from tests.searching import recogniser_at

LANE = Gate(id="gate_lane", name="Lane", factors=((Factor.PLATE,),), to_zone_id="zone_hall")


def test_an_erased_person_is_nowhere_holds_nothing_and_is_on_no_list(scene: Scene) -> None:
    scene.set(replace(HALL, area_passback=Strictness.HARD))
    scene.report(scene.card())
    scene.forgive("person_ada")
    with scene.unit() as unit:
        call = service.start_rollcall(unit, drill=True).call
        service.forget_subject(unit, {"subject_id": "person_ada"})
        service.forget_subject(unit, {"subject_id": "person_ada"})
        assert service.get_rollcall(unit, call.id).people == ()
        assert service.grants_of(unit, "person_ada") == ()
    assert scene.inside() == []
    assert scene.card().because == "no-grant"
    assert scene.card("bob").opens


def test_erasing_a_person_promises_that_the_gates_forget_them(
    scene: Scene, database: Database, vault: Vault, tmp_path: Path
) -> None:
    with scene.unit() as unit:
        ada = add_person(unit, vault, NewPerson(name="Ada Example", basis=Basis.CONSENT))
    scene.grant(replace(scene.grants("person_bob")[0], holder_id=ada.id))
    with scene.unit() as unit:
        forget_person(unit, recogniser_at(vault, tmp_path / "gallery"), ada.id)
    handlers = {SUBJECT_FORGOTTEN: service.forget_subject}
    assert run_due(database, handlers | {"vault.forget_objects": lambda *_: None}) >= 1
    assert scene.grants(ada.id) == ()


def test_what_is_older_than_the_site_keeps_goes(scene: Scene, clock: SteppingClock) -> None:
    with scene.unit() as unit:
        service.set_site_rules(unit, SiteRules(keep_passages_days=30))
    scene.report(scene.card())
    scene.report(scene.card(gate_id="gate_out"))
    scene.report(scene.card("bob"))
    with scene.unit() as unit:
        call = service.start_rollcall(unit, drill=True).call
        service.end_rollcall(unit, call.id)
    clock.advance(days=30)
    with scene.unit() as unit:
        assert service.forget_old(unit, scene.post) == 0
    clock.advance(seconds=1)
    with scene.unit() as unit:
        service.forget_old(unit, scene.post)
        assert service.forget_old(unit, scene.post) == 0
        assert service.list_rollcalls(unit) == []
    assert scene.states() == []
    assert scene.inside() == ["person_bob"]


def test_only_known_ids_get_into_the_count(scene: Scene) -> None:
    with scene.unit() as unit:
        call = service.start_rollcall(unit, drill=True).call
        with pytest.raises(NotFound):
            service.mark_safe(unit, scene.post, call.id, "Ada.Example", muster_point="Gate")
        with pytest.raises(NotFound):
            service.place_by_hand(unit, scene.post, "Ada.Example", "zone_hall", reason=Reason.OTHER)
        with pytest.raises(NotFound):
            service.forgive(unit, scene.post, "Ada.Example", reason=Reason.OTHER)


def test_a_roll_call_looks_for_no_vehicles(scene: Scene) -> None:
    scene.add_gate(LANE)
    scene.report(scene.admit(scene.sighting(LANE.id, plate=plate())))
    scene.report(scene.card())
    assert scene.inside() == ["person_ada", "vehicle_red"]
    with scene.unit() as unit:
        muster = service.start_rollcall(unit, drill=True)
    assert [one.subject_id for one in muster.missing] == ["person_ada"]


def test_somebody_on_the_list_who_was_erased_since_can_still_be_marked_safe(scene: Scene) -> None:
    scene.report(scene.card())
    with scene.unit() as unit:
        call = service.start_rollcall(unit, drill=True).call
        del scene.memory.subjects["person_ada"]
        muster = service.mark_safe(unit, scene.post, call.id, "person_ada", muster_point="Gate")
    assert muster.missing == ()
