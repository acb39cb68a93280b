import json

import pytest

from doorward.core.errors import Conflict, Invalid, NotFound
from doorward.people import service
from doorward.people.model import Basis, PinCheck
from doorward.people.service import NewPerson
from doorward.vault.service import list_photos
from tests.people.office import ALL, Office, near, photos

NAME, NUMBER = "Ada  LOVELACE", "X-1234 567"


def test_a_person_is_found_by_exact_name_and_number_in_any_spelling(office: Office) -> None:
    person_id = office.person(name=NAME, id_number=NUMBER)
    with office.unit() as unit:
        assert service.find_by_name(unit, office.vault, "ada lovelace") == [person_id]
        assert service.find_by_name(unit, office.vault, "ada") == []
        assert service.find_by_id_number(unit, office.vault, "x1234567") == [person_id]


def test_each_look_and_each_search_enters_the_ledger_with_its_purpose(office: Office) -> None:
    person_id = office.person(name=NAME, id_number=NUMBER)
    with office.unit() as unit:
        view = service.view_person(unit, office.vault, person_id, purpose="guard-check")
        service.find_by_id_number(unit, office.vault, NUMBER)
        service.find_by_name(unit, office.vault, "nobody at all")
    assert (view.name, view.id_number) == (NAME, NUMBER)
    assert office.events("person.viewed") == [("person.viewed", person_id, {"purpose": "guard-check"})]
    assert office.events("person.found") == [("person.found", person_id, {"by": "id-number"})]
    assert [facts["found"] for _, _, facts in office.events("people.searched")] == [0, 1]


@pytest.mark.parametrize("purpose", ["", "x", "Because I, Charles, want to", "a" * 60])
def test_nobody_is_looked_at_without_a_purpose_in_code(office: Office, purpose: str) -> None:
    person_id = office.person()
    with office.unit() as unit, pytest.raises(Invalid):
        service.view_person(unit, office.vault, person_id, purpose=purpose)


def test_a_number_belongs_to_one_person(office: Office) -> None:
    office.person(id_number=NUMBER)
    with pytest.raises(Conflict) as refused:
        office.person(id_number="x1234567")
    assert "1234567" not in str(refused.value) + str(refused.value.facts)


def test_a_wrong_name_is_set_right_and_found_anew(office: Office) -> None:
    person_id = office.person(name="Ada Lovelase", id_number=NUMBER)
    with office.unit() as unit:
        service.correct_person(unit, office.vault, person_id, name="Ada Lovelace")
        assert service.find_by_name(unit, office.vault, "Ada Lovelase") == []
        assert service.find_by_name(unit, office.vault, "Ada Lovelace") == [person_id]
        view = service.view_person(unit, office.vault, person_id, purpose="guard-check")
    assert (view.name, view.id_number) == ("Ada Lovelace", NUMBER)
    assert office.events("person.corrected")[0][2] == {"fields": ["name"]}


def test_persons_of_one_site_are_unknown_at_another(office: Office) -> None:
    person_id = office.person(name=NAME)
    with office.unit("site_other") as unit:
        assert service.find_by_name(unit, office.vault, NAME) == []
        assert service.standing_of(unit, person_id) is None
        with pytest.raises(NotFound):
            service.view_person(unit, office.vault, person_id, purpose="guard-check")
        with pytest.raises(NotFound):
            service.forget_person(unit, office.recogniser, person_id)


def test_a_standing_tells_limits_and_groups(office: Office) -> None:
    person_id = office.person()
    with office.unit() as unit:
        group = service.add_group(unit, "Day shift")
        service.join_group(unit, person_id, group.id)
        service.join_group(unit, person_id, group.id)
        service.suspend(unit, person_id, suspended=True)
        until = unit.now.replace(year=2031)
        service.limit_person(unit, person_id, valid_from=None, valid_until=until, passback_exempt=True)
        standing = service.standing_of(unit, person_id)
    assert standing is not None
    assert (standing.suspended, standing.group_ids, standing.passback_exempt, standing.valid_until) == (
        True,
        frozenset({group.id}),
        True,
        until,
    )


@pytest.mark.parametrize(
    "said", [{"name": " "}, {"notice_version": "v 1"}, {"id_number": "12"}, {"host_id": "person_nobody"}]
)
def test_a_registration_that_makes_no_sense_is_refused(office: Office, said: dict[str, str]) -> None:
    with pytest.raises((Invalid, NotFound)):
        office.person(**said)


def test_forgetting_leaves_nothing_that_opens_and_a_receipt(office: Office) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        service.keep_photos(unit, office.recogniser, person_id, [b"jpeg"])
        service.add_card(unit, office.vault, person_id, "04A1B2C3")
        service.set_pin(unit, office.vault, person_id, "8305")
        vehicle = service.add_vehicle(unit, office.vault, "B AB 123", owner_id=person_id)
    with office.unit() as unit:
        receipt = service.forget_person(unit, office.recogniser, person_id)
    assert receipt.body["subject_id"] == person_id
    assert office.who(1) is None
    with office.unit() as unit:
        assert service.find_by_card(unit, office.vault, "04A1B2C3") is None
        assert service.check_pin(unit, office.vault, person_id, "8305") is PinCheck.WRONG
        assert not service.verify_face(unit, office.recogniser, person_id, near(1), one_in=10_000)
        assert service.standing_of(unit, person_id) is None
        assert list_photos(unit, person_id) == []
        assert service.get_vehicle(unit, vehicle.id).owner_id is None


def test_an_export_holds_what_is_kept_and_is_itself_recorded(office: Office) -> None:
    person_id = office.person(name=NAME, id_number=NUMBER)
    office.enrol(person_id, photos(1, 2), override_reason="only two could be taken")
    with office.unit() as unit:
        service.add_card(unit, office.vault, person_id, "04A1B2C3")
        token = service.issue_qr(unit, office.vault, person_id)
        service.set_pin(unit, office.vault, person_id, "8305")
        vehicle = service.add_vehicle(
            unit, office.vault, "B AB 123", owner_id=person_id, label="the blue one"
        )
        told = json.loads(
            json.dumps(service.export_person(unit, office.vault, person_id, purpose="access-request"))
        )
    assert (told["person"]["name"], told["person"]["id_number"]) == (NAME, NUMBER)
    assert told["face"]["stated_reason"] == "only two could be taken"
    assert told["vehicles"] == [{"id": vehicle.id, "plate": "BAB123", "label": "the blue one"}]
    assert {one["kind"]: one.get("number") for one in told["credentials"]} == {"card": "04A1B2C3", "qr": None}
    assert told["pin_is_set"] is True
    assert token not in json.dumps(told)
    assert {"person.added", "face.enrolled", "person.exported"} <= {line["event"] for line in told["ledger"]}
    assert office.events("person.exported")[0][1] == person_id


def test_lists_show_ids_a_page_at_a_time_and_no_names(office: Office) -> None:
    made = sorted(office.person() for _ in range(5))
    with office.unit() as unit:
        found = service.list_persons(unit, ALL)
    assert [person.id for person in found] == made
    assert not [field for field in ("name", "id_number") if hasattr(found[0], field)]


def test_names_never_enter_the_log(office: Office) -> None:
    with office.unit() as unit:
        new = NewPerson(name="Grace Hopper", basis=Basis.CONTRACT, id_number=NUMBER)
        person_id = service.add_person(unit, office.vault, new).id
        service.view_person(unit, office.vault, person_id, purpose="guard-check")
        service.find_by_name(unit, office.vault, "Grace Hopper")
    told = str(office.events()).lower()
    assert not [word for word in ("grace", "hopper", "1234567", NUMBER.lower()) if word in told]
