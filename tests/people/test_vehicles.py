import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.people import service
from doorward.people.model import Listing, VehicleMatch
from doorward.people.service.known_plates import KnownPlates
from doorward.vision.plates.known import match
from tests.people.office import Office

PLATES = st.text("0O8BA1I", min_size=2, max_size=4)


def add(office: Office, plate: str, **said: object) -> str:
    with office.unit() as unit:
        return service.add_vehicle(unit, office.vault, plate, **said).id  # type: ignore[arg-type]


def seen(office: Office, *candidates: tuple[str, float]) -> VehicleMatch:
    with office.unit() as unit:
        return service.find_vehicle(unit, office.recogniser, candidates)


@given(st.sets(PLATES, max_size=12), st.lists(st.tuples(PLATES, st.floats(0.001, 1.0)), max_size=4))
@settings(max_examples=300)
def test_the_short_way_finds_exactly_what_weighing_every_plate_finds(
    plates: set[str], candidates: list[tuple[str, float]]
) -> None:
    known = KnownPlates()
    for plate in plates:
        known.put(f"vehicle_{plate}", plate)
    owner, found = known.match(candidates)
    whole = match(candidates, plates)
    assert (found.text, found.ambiguous) == (whole.text, whole.ambiguous)
    assert found.posterior == pytest.approx(whole.posterior)
    assert owner == (f"vehicle_{found.text}" if found.text else None)


def test_a_vehicle_is_known_by_a_clean_read_and_by_a_look_alike(office: Office) -> None:
    vehicle_id = add(office, "b-ob 123")
    assert seen(office, ("BOB123", 0.99)).vehicle_id == vehicle_id
    assert seen(office, ("B0B123", 0.7), ("BOB123", 0.25)).vehicle_id == vehicle_id
    assert seen(office, ("XYZ999", 0.99)) == VehicleMatch(None)
    assert seen(office) == VehicleMatch(None)


def test_a_read_between_two_known_vehicles_is_ambiguous_and_opens_for_neither(office: Office) -> None:
    add(office, "BOB123"), add(office, "B0B123")
    assert seen(office, ("BOB123", 0.5), ("B0B123", 0.45)) == VehicleMatch(None, ambiguous=True)


def test_a_plate_is_registered_once_and_free_again_when_forgotten(office: Office) -> None:
    vehicle_id = add(office, "BOB123")
    with pytest.raises(Conflict):
        add(office, "b ob-123")
    with office.unit() as unit:
        receipt = service.forget_vehicle(unit, office.vault, vehicle_id)
    assert receipt.body["subject_id"] == vehicle_id
    assert seen(office, ("BOB123", 0.99)) == VehicleMatch(None)
    assert seen(office, ("BOB123", 0.99)).vehicle_id != add(office, "BOB123")


def test_a_vehicle_on_the_deny_list_is_known_and_may_not_pass(office: Office) -> None:
    vehicle_id = add(office, "BOB123", listing=Listing.DENY)
    assert seen(office, ("BOB123", 0.99)).vehicle_id == vehicle_id
    with office.unit() as unit:
        standing = service.standing_of(unit, vehicle_id)
        assert standing is not None
        assert standing.suspended
        assert service.list_vehicle(unit, vehicle_id, Listing.ALLOW).listing is Listing.ALLOW
        allowed = service.standing_of(unit, vehicle_id)
    assert allowed is not None
    assert not allowed.suspended


def test_plate_and_label_are_shown_for_a_purpose_and_the_look_is_recorded(office: Office) -> None:
    vehicle_id = add(office, "BOB123", label="red van of the bakery")
    with office.unit() as unit:
        view = service.view_vehicle(unit, office.vault, vehicle_id, purpose="guard-check")
    assert (view.plate, view.label) == ("BOB123", "red van of the bakery")
    assert office.events("vehicle.viewed") == [("vehicle.viewed", vehicle_id, {"purpose": "guard-check"})]
    assert "BOB123" not in str(office.events())


@pytest.mark.parametrize("plate", ["", "!", "A" * 11, "ABC\u00e9"])
def test_what_no_plate_can_be_is_refused(office: Office, plate: str) -> None:
    with pytest.raises(Invalid):
        add(office, plate)


def test_an_owner_must_be_known_here(office: Office) -> None:
    with pytest.raises(NotFound):
        add(office, "BOB123", owner_id="person_nobody")


def test_vehicles_of_one_site_are_unknown_at_another(office: Office) -> None:
    add(office, "BOB123")
    with office.unit("site_other") as unit:
        assert service.find_vehicle(unit, office.recogniser, [("BOB123", 0.99)]) == VehicleMatch(None)
        assert service.find_by_plate(unit, office.vault, "BOB123") is None
