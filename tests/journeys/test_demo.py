"""The demo's made-up people and cars pass by the real recognition, and strangers do not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from doorward.app.demo import Demo
from doorward.app.demo_cameras import Scene, car_scene, person_scene
from doorward.app.demo_site import CARS, EMPLOYEES, IMPOSTOR, STRANGE_CAR, Employee, Staffed, furnish
from doorward.app.house import House, create_house
from doorward.people.service import find_by_name, list_credentials
from doorward_edge.passage import Decision

from .passing import gate_named, pass_once


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Staffed]]:
    house = create_house(tmp_path_factory.mktemp("demo") / "site")
    yield house, furnish(house)
    house.close()


def first_passage(house: House, gate_name: str, scene: Scene, *, card: str | None = None) -> Decision:
    return pass_once(house, gate_named(house, gate_name), scene=scene, card=card)


def drawn(person: Employee) -> Scene:
    assert person.drawing is not None
    return person_scene(person.drawing, moment=5)


def test_a_drawn_person_passes_with_card_and_face(site: tuple[House, Staffed]) -> None:
    house, staffed = site
    ana = EMPLOYEES[0]
    decision = first_passage(house, "Workshop", drawn(ana), card=staffed.cards[ana])
    assert decision.opens, decision.because


def test_another_drawing_with_the_same_card_does_not(site: tuple[House, Staffed]) -> None:
    house, staffed = site
    decision = first_passage(house, "Workshop", drawn(IMPOSTOR), card=staffed.cards[EMPLOYEES[0]])
    assert not decision.opens
    assert decision.because == "face-mismatch"


def test_a_drawn_car_of_the_site_raises_the_barrier_and_a_strange_one_does_not(
    site: tuple[House, Staffed],
) -> None:
    house, _ = site
    known = first_passage(house, "Car park", car_scene(CARS[0], 1))
    assert known.opens, known.because
    strange = first_passage(house, "Car park", car_scene(STRANGE_CAR, 2))
    assert (strange.opens, strange.because) == (False, "unknown")


def test_a_second_start_gives_fresh_cards_and_doubles_nobody(site: tuple[House, Staffed]) -> None:
    house, staffed = site
    again = furnish(house)
    assert not set(again.cards.values()) & set(staffed.cards.values())
    staffed.cards.update(again.cards)
    with house.unit() as unit:
        for one in EMPLOYEES:
            (person_id,) = find_by_name(unit, house.vault, one.name)
            assert [kind for _, kind in list_credentials(unit, person_id)] == ["card"]


def test_the_demo_ends_when_told(tmp_path: Path) -> None:
    house = create_house(tmp_path / "site")
    demo = Demo(house)
    demo.furnish()
    demo.start()
    demo.stop()
    house.close()
