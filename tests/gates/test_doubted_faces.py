"""A forged answer, or a search asked too often: faces open nothing, staff hear at once, all else goes on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from doorward.core.errors import Tampered, Unavailable
from doorward.gallery import service as gallery
from doorward.gallery.rules import MOST_REFUSED
from doorward.gates.model import Direction, Factor, Gate, Grant, Identification
from doorward.gates.service import acknowledge_alarm, list_alarms
from doorward.gates.service.known import Known
from doorward.people import service as people
from doorward.people.drivers.blind_matcher import BlindMatcher
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.platform.db import Database
from doorward.platform.paging import PageRequest
from doorward.vault.service import Vault
from doorward_edge.passage import FaceSeen
from tests.conftest import SteppingClock
from tests.gallery.site import Liar, one_word
from tests.gates.scene import CARD_GATE, OUT_GATE, Scene
from tests.people.office import near, photos
from tests.searching import recogniser_at

PEOPLE_GATE = Gate(id="gate_people", name="People")  # card and face, or card and PIN
MANY = Gate(id="gate_many", name="Many", factors=((Factor.FACE,),), identification=Identification.ONE_TO_MANY)
FACE_OUT = replace(MANY, id="gate_face_out", name="Face out", direction=Direction.OUT)


class Town(Scene):
    """The scene with the people room and its encrypted search; Ada is known."""

    def __init__(self, database: Database, clock: SteppingClock, vault: Vault, folder: Path) -> None:
        super().__init__(database, clock)
        recogniser = recogniser_at(vault, folder)
        assert isinstance(recogniser.matcher, BlindMatcher)
        self.keyholder = recogniser.matcher.keyholder
        self.honest = self.keyholder.matcher
        self.post = replace(self.post, identifier=Known(recogniser))
        for gate in (PEOPLE_GATE, MANY, FACE_OUT):
            self.set(gate)
        self.register(CARD_GATE.id, OUT_GATE.id, PEOPLE_GATE.id, MANY.id, FACE_OUT.id)
        with self.unit() as unit:
            ada = people.add_person(unit, vault, NewPerson(name="Ada Example", basis=Basis.CONSENT))
            people.add_card(unit, vault, ada.id, "4711")
            people.set_pin(unit, vault, ada.id, "4826")
            people.enrol_face(unit, recogniser, ada.id, photos(1), basis=Basis.CONSENT, notice="1")
        self.grant(Grant(id="", holder_id=ada.id))

    def ask(self, gate: Gate, seed: int = 1, **facts: object) -> tuple[bool, str | None]:
        face = FaceSeen(template=near(seed, 9), frames=5, quality=12.0, liveness_passed=True)
        permit = self.admit(self.sighting(gate.id, face=face, **facts))
        return permit.opens, permit.because

    def events(self, kind: str) -> int:
        return self.alarms().count(kind)


@pytest.fixture
def town(database: Database, clock: SteppingClock, vault: Vault, tmp_path: Path) -> Town:
    return Town(database, clock, vault, tmp_path / "gallery")


class Unsigned:
    """A line on which somebody else answers."""

    def answer(self, *_: object) -> list[object]:
        raise Tampered("The answer is not the matcher's.")


@pytest.mark.parametrize("lie", [lambda honest: Liar(honest, one_word), lambda _: Unsigned()])
@pytest.mark.parametrize(("gate", "card"), [(MANY, None), (PEOPLE_GATE, "4711")])
def test_a_forged_answer_shuts_the_gate_to_faces_and_alarms_at_once_and_once(
    town: Town, lie: Callable[[object], object], gate: Gate, card: str | None
) -> None:
    assert town.ask(gate, card=card)[0]
    town.keyholder.matcher = lie(town.honest)  # type: ignore[assignment]
    assert town.ask(gate, card=card) == (False, "face-delayed")
    assert town.alarms() == ["matcher-forged"]
    town.keyholder.matcher = town.honest
    for other in (MANY, PEOPLE_GATE, gate):
        assert town.ask(other, card="4711")[0] is False
    assert town.alarms() == ["matcher-forged"]


def test_card_and_pin_and_ways_out_go_on_meanwhile(town: Town) -> None:
    town.keyholder.matcher = Liar(town.honest, one_word)
    assert town.ask(PEOPLE_GATE, card="4711", pin="4826") == (True, "granted")
    assert town.ask(PEOPLE_GATE, card="4711", pin="1234")[0] is False
    assert town.admit(town.sighting(card="4711")).opens
    assert town.ask(FACE_OUT)[0], "nobody is locked in"
    assert town.admit(town.sighting(OUT_GATE.id, card="4711")).opens
    assert town.events("matcher-forged") == 1


class Away:
    """A matcher on a machine that is gone."""

    def answer(self, *_: object) -> list[object]:
        raise Unavailable("The matcher does not answer.")


def test_while_the_matcher_is_away_faces_open_nothing_and_all_else_goes_on(town: Town) -> None:
    town.keyholder.matcher = Away()  # type: ignore[assignment]
    for _ in range(12):
        assert town.ask(MANY) == (False, "face-delayed")
        assert town.ask(PEOPLE_GATE, card="4711") == (False, "face-delayed")
    assert town.ask(PEOPLE_GATE, card="4711", pin="4826") == (True, "granted")
    assert town.ask(FACE_OUT)[0]
    assert town.events("matcher-away") == 1, "once while it waits; and no face was guessed"
    town.keyholder.matcher = town.honest
    assert town.ask(MANY) == (True, "granted")
    assert town.ask(PEOPLE_GATE, card="4711") == (True, "granted")


def test_nobodys_face_waits_once_the_matcher_is_trusted_again(town: Town) -> None:
    town.keyholder.matcher = Liar(town.honest, one_word)
    for _ in range(12):
        assert town.ask(PEOPLE_GATE, card="4711") == (False, "face-delayed")
        assert town.ask(MANY) == (False, "face-delayed")
    assert town.alarms() == ["matcher-forged"], "no face was guessed"
    town.keyholder.matcher = town.honest
    with town.unit() as unit:
        gallery.trust_again(unit, town.keyholder)
    assert town.ask(PEOPLE_GATE, card="4711") == (True, "granted")
    assert town.ask(MANY) == (True, "granted")


def test_the_alarm_comes_again_if_it_was_acknowledged_and_nothing_was_done(town: Town) -> None:
    town.keyholder.matcher = Liar(town.honest, one_word)
    town.ask(MANY)
    with town.unit() as unit:
        (alarm,) = list_alarms(unit, PageRequest(None, 9), waiting=True)
        assert alarm.place_id == "matcher"
        acknowledge_alarm(unit, alarm.id)
    town.ask(MANY)
    assert town.alarms() == ["matcher-forged"]


def test_refusals_that_run_out_alarm_once_and_faces_are_known_again_after_a_while(town: Town) -> None:
    asked = int(MOST_REFUSED)
    for seed in range(100, 100 + asked):
        with town.unit() as unit:
            strange = near(seed, 9)
            assert gallery.identify(unit, town.keyholder, strange, 0.5) is None
    assert town.alarms() == []
    assert town.ask(MANY) == (False, "unknown"), "Ada too: the search is not asked"
    assert town.alarms() == ["searched-too-often"]
    assert town.ask(PEOPLE_GATE, card="4711") == (False, "face-mismatch")
    assert town.ask(PEOPLE_GATE, card="4711", pin="4826") == (True, "granted")
    assert town.ask(FACE_OUT)[0]
    assert town.events("searched-too-often") >= 1
    town.clock.advance(seconds=5)
    assert town.ask(MANY) == (True, "granted")


def test_a_search_that_was_asked_too_often_goes_on_to_count_faces(town: Town) -> None:
    """Else whoever keeps the refusals spent would be free of the waits at a gate."""
    for seed in range(200, 200 + int(MOST_REFUSED)):
        with town.unit() as unit:
            gallery.identify(unit, town.keyholder, near(seed, 9), 0.5)
    told = []
    for seed in range(300, 307):
        told.append(town.ask(MANY, seed)[1])
        town.clock.advance(seconds=1.1)
    assert told == ["unknown"] * 5 + ["face-delayed"] * 2
    assert "face-guessed" in town.alarms()
