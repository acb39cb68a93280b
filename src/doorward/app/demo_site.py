"""What the demo's site is made of: gates, made-up people and cars, by the same front doors as real ones."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from doorward.app.house import House
from doorward.core.ids import new_id
from doorward.gates.model import Direction, Factor, FactorRule, Gate, Grant, SiteRules, Zone
from doorward.gates.service import grant, set_piece, set_site_rules
from doorward.people.model import Basis
from doorward.people.service import (
    NewPerson,
    add_card,
    add_person,
    add_vehicle,
    enrol_face,
    find_by_name,
    list_credentials,
    remove_credential,
    set_pin,
)
from doorward.platform.db import Unit
from doorward.vision.faces.rendering import render_person
from doorward.vision.quality import Assessment, assess

PIN = "8361"
CARD: FactorRule = ((Factor.CARD,),)
CARD_AND_PIN: FactorRule = ((Factor.CARD, Factor.PIN),)
CARD_AND_FACE: FactorRule = ((Factor.CARD, Factor.FACE),)
PLATE: FactorRule = ((Factor.PLATE,),)
ENROLMENT_PHOTOS = 3
DRAWN = "Drawings resemble each other more than people do; their author looked at both."


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody made up: any likeness is chance. `drawing` is the number of the face, if one is enrolled."""

    name: str
    drawing: int | None = None


EMPLOYEES = (
    Employee("Ana Lindqvist", drawing=0),
    Employee("Bo Marchetti"),
    Employee("Chidi Vance", drawing=3),
    Employee("Dana Okonjo"),
    Employee("Emre Halvorsen", drawing=28),
    Employee("Fei Novak"),
)
# Shows somebody else's card: the one drawing that the recogniser tells well from Ana's.
IMPOSTOR = Employee("nobody", drawing=6)
CARS = ("KA 47 TRF", "MB 803 LN", "ZX 19 HOP")
STRANGE_CAR = "QT 552 WE"


@dataclass(slots=True)
class Staffed:
    """Who may pass and what they carry; cards are made anew at each start and known to the demo alone."""

    cards: dict[Employee, str] = field(default_factory=dict, repr=False)


def furnish(house: House) -> Staffed:
    """Zones, gates, people, cars and grants, if the site has no gate yet; fresh cards at each start."""
    with house.unit() as unit:
        if not house.post.plans.plan_of(unit).gates:
            _lay_out(house, unit)
    faces = {one: _drawn(one) for one in EMPLOYEES if one.drawing is not None}
    staffed = Staffed()
    with house.unit() as unit:
        for one in EMPLOYEES:
            staffed.cards[one] = _employ(house, unit, one, faces.get(one, ()))
    return staffed


def _lay_out(house: House, unit: Unit) -> None:
    set_site_rules(unit, SiteRules(time_zone="Europe/Helsinki"))
    yard = Zone(id=new_id("zone"), name="Yard", capacity=4)
    set_piece(unit, house.post, yard)
    for made in (
        _gate("Front door", CARD, to=yard.id),
        _gate("Way out", CARD, out_of=yard.id),
        _gate("Stockroom", CARD_AND_PIN),
        _gate("Workshop", CARD_AND_FACE),
        _gate("Car park", PLATE),
    ):
        set_piece(unit, house.post, made)
    for plate in CARS:
        car = add_vehicle(unit, house.vault, plate)
        grant(unit, house.post, Grant(id="", holder_id=car.id))


def _gate(name: str, factors: FactorRule, *, to: str | None = None, out_of: str | None = None) -> Gate:
    return Gate(
        id=new_id("gate"),
        name=name,
        direction=Direction.OUT if out_of else Direction.IN,
        factors=factors,
        to_zone_id=to,
        from_zone_id=out_of,
    )


def _drawn(one: Employee) -> list[Assessment]:
    assert one.drawing is not None
    return [assess(render_person(one.drawing, moment=100 + number)) for number in range(ENROLMENT_PHOTOS)]


def _employ(house: House, unit: Unit, one: Employee, photos: Sequence[Assessment]) -> str:
    """Somebody with a fresh card; whoever was made at an earlier start keeps grant, PIN and face."""
    known = find_by_name(unit, house.vault, one.name)
    person_id = known[0] if known else _hire(house, unit, one, photos)
    for old, kind in list_credentials(unit, person_id):
        if kind == "card":
            remove_credential(unit, person_id, old)
    card = secrets.token_hex(7).upper()
    add_card(unit, house.vault, person_id, card)
    return card


def _hire(house: House, unit: Unit, one: Employee, photos: Sequence[Assessment]) -> str:
    person_id = add_person(unit, house.vault, NewPerson(name=one.name, basis=Basis.CONTRACT)).id
    set_pin(unit, house.vault, person_id, PIN)
    grant(unit, house.post, Grant(id="", holder_id=person_id))
    if photos:
        enrol_face(
            unit,
            house.recogniser,
            person_id,
            photos,
            basis=Basis.CONSENT,
            notice="1",
            distinct_reason=DRAWN,
        )
    return person_id
