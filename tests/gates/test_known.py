from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from doorward.core.wire import OfflinePolicy, Wants, decode
from doorward.gates import service
from doorward.gates.model import Factor, Gate, Grant, Identification, Reason
from doorward.gates.service.known import Known
from doorward.people import service as people
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.platform.db import Database, Unit
from doorward.vault.service import Vault
from doorward_edge.passage import FaceSeen
from tests.conftest import GUARD, SITE, SteppingClock
from tests.gates.scene import CARD_GATE, Scene, plate
from tests.people.office import near, photos
from tests.searching import recogniser_at

PEOPLE_GATE = Gate(id="gate_people", name="People")
MANY = Gate(id="gate_many", name="Many", factors=((Factor.FACE,),), identification=Identification.ONE_TO_MANY)
LANE = Gate(id="gate_lane", name="Lane", factors=((Factor.PLATE,),))


@pytest.fixture
def town(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Scene:
    """The scene with the people room itself, and with Ada and a red car in it."""
    scene = Scene(database, clock)
    recogniser = recogniser_at(vault, tmp_path / "gallery")
    scene.post = replace(scene.post, identifier=Known(recogniser))
    for gate in (PEOPLE_GATE, MANY, LANE):
        scene.set(gate)
    scene.register(CARD_GATE.id, PEOPLE_GATE.id, MANY.id, LANE.id)
    with scene.unit() as unit:
        ada = people.add_person(unit, vault, NewPerson(name="Ada Example", basis=Basis.CONSENT))
        people.add_card(unit, vault, ada.id, "4711")
        people.set_pin(unit, vault, ada.id, "4826", duress="9173")
        people.enrol_face(unit, recogniser, ada.id, photos(1), basis=Basis.CONSENT, notice="1")
        car = people.add_vehicle(unit, vault, "ABC123")
    for holder in (ada.id, car.id):
        scene.grant(Grant(id="", holder_id=holder))
    return scene


def shown(seed: int, *, live: bool | None = True) -> FaceSeen:
    return FaceSeen(template=near(seed, 9), frames=5, quality=12.0, liveness_passed=live)


def test_card_pin_face_and_plate_open_through_the_people_room(town: Scene) -> None:
    def ask(gate_id: str, **facts: object) -> str | None:
        return town.admit(town.sighting(gate_id, **facts)).because

    assert ask(CARD_GATE.id, card="4711") == "granted"
    assert ask(CARD_GATE.id, card="4712") == "unknown"
    assert ask(PEOPLE_GATE.id, card="4711", pin="4826") == "granted"
    assert ask(PEOPLE_GATE.id, card="4711", pin="9173") == "granted"
    assert ask(PEOPLE_GATE.id, card="4711", pin="1234") == "pin-wrong"
    assert ask(PEOPLE_GATE.id, card="4711", face=shown(1)) == "granted"
    assert ask(PEOPLE_GATE.id, card="4711", face=shown(2)) == "face-mismatch"
    assert ask(MANY.id, face=shown(1)) == "granted"
    assert ask(MANY.id, face=shown(1, live=None)) == "liveness-needed"
    assert ask(MANY.id, face=shown(2)) == "unknown"
    assert ask(LANE.id, plate=plate("ABC123")) == "granted"
    assert ask(LANE.id, plate=plate("XYZ789")) == "unknown"
    assert town.alarms() == ["duress"]


@dataclass(frozen=True)
class Opening:
    """Units for a caller, which counts how long a writer's place was asked for."""

    town: Scene
    opened: list[str]

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        self.opened.append("writing")
        with self.town.unit() as unit:
            yield unit

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        self.opened.append("reading")
        with self.town.database.reading(GUARD, SITE) as unit:
            yield unit


def test_a_policy_is_read_beside_the_writers_unless_something_must_be_written_down(
    town: Scene, vault: Vault, tmp_path: Path
) -> None:
    town.post = replace(town.post, identifier=Known(recogniser_at(vault, tmp_path / "gallery")))
    opened = list[str]()
    for _ in range(2):
        signed = town.request(Wants.POLICY)
        answer = service.answer_request_apart(Opening(town, opened), town.post, signed)
        assert len(decode(OfflinePolicy, answer.body).entries) == 1
    assert opened == ["writing", "reading", "writing", "writing", "writing", "reading", "writing"]


def test_the_fifth_wrong_pin_locks_even_though_the_gate_stays_shut(town: Scene) -> None:
    answers = [town.admit(town.sighting(PEOPLE_GATE.id, card="4711", pin="1234")).because for _ in range(6)]
    assert answers[0] == "pin-wrong"
    assert answers[-1] == "pin-locked"


def test_a_suspended_person_stays_outside_at_once(town: Scene, vault: Vault) -> None:
    with town.unit() as unit:
        (ada_id,) = people.find_by_name(unit, vault, "Ada Example")
        people.suspend(unit, ada_id, suspended=True)
    assert town.card("4711").because == "unknown"
    assert town.admit(town.sighting(card="4711")).because == "suspended"


def test_a_roll_call_prints_names_and_each_is_a_look(town: Scene, vault: Vault) -> None:
    town.admit(town.sighting(card="4711"))
    with town.unit() as unit:
        muster = service.start_rollcall(unit, drill=False)
        names = service.names_of(unit, vault, muster)
        assert list(names.values()) == ["Ada Example"]
        assert "Ada Example" in service.as_page(muster, names, zones={})
        service.forgive(unit, town.post, muster.people[0].subject_id, reason=Reason.DRILL)
