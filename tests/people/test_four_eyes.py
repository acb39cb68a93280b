from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from doorward.app.house import open_house
from doorward.audit.service import sign_head
from doorward.core.errors import Denied
from doorward.core.permissions import Actor
from doorward.people.model import Approved, Basis
from doorward.people.model.approvals import Action
from doorward.people.model.roles import Role
from doorward.people.rules.approvals import Bound
from doorward.people.service import approvals, enrol_face, roles
from doorward.platform.settings import FourEyes
from tests.conftest import SteppingClock
from tests.people.household import EVERYWHERE, HERE, Household
from tests.people.office import photos


@pytest.fixture
def home(tmp_path: Path, clock: SteppingClock) -> Iterator[Household]:
    made = Household(tmp_path / "site", clock)
    yield made
    made.house.close()


def test_the_log_expires_by_two_people_for_one_moment_once(home: Household) -> None:
    with home.house.unit() as unit:
        sign_head(unit, home.house.vault.audit_signer())
    home.clock.advance(days=1)
    before = "2030-01-08T00:00:00+00:00"
    body = {"before": before}
    told = home.refused("ada", "POST", f"{HERE}/audit/expire", body)
    assert "audit.expire" in told and before in told and "approval_id" in told
    asked = home.approved("ada", "bea", "audit.expire", {"before": "2030-01-08T01:00:00+01:00"})
    other = {"before": "2030-01-08T00:00:01Z", "approval_id": asked}
    home.refused("ada", "POST", f"{HERE}/audit/expire", other)
    home.refused("bea", "POST", f"{HERE}/audit/expire", body | {"approval_id": asked})
    home.refused("ada", "POST", f"{EVERYWHERE}/audit/expire", body | {"approval_id": asked})
    assert home.done("ada", "POST", f"{HERE}/audit/expire", body | {"approval_id": asked})["entries"] > 0
    home.refused("ada", "POST", f"{HERE}/audit/expire", body | {"approval_id": asked})


def test_the_root_changes_by_two_people_once(home: Household, tmp_path: Path) -> None:
    state = home.done("ada", "GET", "/api/v1/vault/keys")
    assert state["custodian"] == "file"
    assert "vault.rotate-root" in home.refused("ada", "POST", "/api/v1/vault/root", {})
    facts = {"custodian": "file", "ring": state["ring_id"]}
    asked = home.approved("ada", "bea", "vault.rotate-root", facts, EVERYWHERE)
    phrase = {"passphrase": "five words that nobody guesses", "approval_id": asked}
    home.refused("ada", "POST", "/api/v1/vault/root", phrase)
    old = (tmp_path / "site" / "keys" / "root.key").read_bytes()
    made = home.done("ada", "POST", "/api/v1/vault/root", {"approval_id": asked})
    assert made["ring_id"] != state["ring_id"]
    assert (tmp_path / "site" / "keys" / "root.key").read_bytes() != old
    home.refused("ada", "POST", "/api/v1/vault/root", {"approval_id": asked})
    open_house(tmp_path / "site", home.clock).close()


def test_a_passphrase_takes_the_key_files_place_by_two_people(home: Household) -> None:
    ring = home.done("ada", "GET", "/api/v1/vault/keys")["ring_id"]
    asked = home.approved(
        "ada", "bea", "vault.rotate-root", {"custodian": "passphrase", "ring": ring}, EVERYWHERE
    )
    body = {"passphrase": "short", "approval_id": asked}
    assert home.ask("ada", "POST", "/api/v1/vault/root", body).status_code == 422
    body["passphrase"] = "five words that nobody guesses"
    assert home.done("ada", "POST", "/api/v1/vault/root", body)["custodian"] == "passphrase"
    assert home.done("ada", "GET", "/api/v1/vault/keys")["custodian"] == "passphrase"
    assert home.ask("ada", "POST", "/api/v1/vault/root", {}).status_code == 422, "no file to replace"


def few(home: Household, persons: int) -> None:
    settings = home.house.settings.model_copy(update={"four_eyes": FourEyes(persons=persons, minutes=10)})
    home.api.state.settings = settings


def test_one_erases_a_few_and_no_more_until_a_while_has_passed(home: Household) -> None:
    few(home, 3)
    people = home.persons(6)
    for one in people[:3]:
        home.done("ada", "DELETE", f"{HERE}/persons/{one}")
    told = home.refused("ada", "DELETE", f"{HERE}/persons/{people[3]}")
    assert "people.erase-many" in told and people[3] in told
    home.refused("ada", "POST", f"{HERE}/persons/erasures", {"person_ids": [people[3]]})
    home.done("bea", "DELETE", f"{HERE}/persons/{people[4]}")
    asked = home.approved("ada", "bea", "people.erase-many", {"persons": [people[3]]})
    home.refused("ada", "DELETE", f"{HERE}/persons/{people[5]}", params={"approval_id": asked})
    home.done("ada", "DELETE", f"{HERE}/persons/{people[3]}", params={"approval_id": asked})
    home.refused("ada", "DELETE", f"{HERE}/persons/{people[5]}", params={"approval_id": asked})
    home.clock.advance(minutes=10)
    home.done("ada", "DELETE", f"{HERE}/persons/{people[5]}")


def test_many_are_erased_at_once_by_two_people_all_or_none(home: Household) -> None:
    few(home, 3)
    people = list(home.persons(5))
    body: dict[str, Any] = {"person_ids": people}
    home.refused("ada", "POST", f"{HERE}/persons/erasures", body)
    asked = home.approved("ada", "bea", "people.erase-many", {"persons": people[::-1]})
    more = {"person_ids": [*people, *home.persons(1)], "approval_id": asked}
    home.refused("ada", "POST", f"{HERE}/persons/erasures", more)
    gone = {"person_ids": [*people, "person_nobody"]}
    unknown = home.approved("ada", "bea", "people.erase-many", {"persons": gone["person_ids"]})
    answer = home.ask("ada", "POST", f"{HERE}/persons/erasures", gone | {"approval_id": unknown})
    assert answer.status_code == 404
    done = home.done("ada", "POST", f"{HERE}/persons/erasures", body | {"approval_id": asked})
    assert {one["body"]["subject_id"] for one in done["items"]} == set(people)
    home.refused(
        "ada", "POST", f"{HERE}/persons/erasures", {"person_ids": home.persons(4), "approval_id": asked}
    )


def test_one_exports_a_few_different_persons_and_no_more(home: Household) -> None:
    few(home, 2)
    first, second, third = home.persons(3)
    body = {"purpose": "data-request"}
    for one in (first, first, first, second):
        home.done("cyd", "POST", f"{HERE}/persons/{one}/export", body)
    home.refused("cyd", "POST", f"{HERE}/persons/{third}/export", body)
    home.done("cyd", "POST", f"{HERE}/persons/{first}/export", body)
    many = {"person_ids": [first, second, third]} | body
    home.refused("cyd", "POST", f"{HERE}/persons/exports", many)
    asked = home.approved("cyd", "ada", "people.export-many", {"persons": many["person_ids"]})
    done = home.done("cyd", "POST", f"{HERE}/persons/exports", many | {"approval_id": asked})
    assert [one["person"]["id"] for one in done["items"]] == sorted(many["person_ids"])
    home.refused("cyd", "POST", f"{HERE}/persons/exports", many | {"approval_id": asked})


def test_keys_count_for_the_person_who_made_them(home: Household) -> None:
    few(home, 1)
    first, second = home.persons(2)
    made = {"label": "leavers", "rights": ["people:erase"], "expires_at": "2030-06-01T00:00:00Z"}
    key = home.done("ada", "POST", f"{HERE}/api-keys", made)["key_id"]
    home.done("ada", "DELETE", f"{HERE}/persons/{first}")
    with home.house.unit(home.room.actor(home.ids["ada"])) as unit:
        assert approvals.person_behind(unit) == home.ids["ada"]
    with pytest.raises(Denied, match="second person"), home.house.unit(Actor(key)) as unit:
        bound = Bound(1, timedelta(minutes=10))
        approvals.require_few(unit, bound, Action.ERASE_MANY, [second], None)


def test_to_look_faces_up_among_everybody_takes_two_people(home: Household) -> None:
    rules = {"identification": "1:n"}
    assert "gates.face-search" in home.refused("ada", "PUT", f"{HERE}/rules", rules)
    home.done("ada", "PUT", f"{HERE}/rules", {"identification": "1:1"})
    gate = {"name": "front", "identification": "1:n"}
    told = home.refused("ada", "PUT", f"{HERE}/gates/gate_front", gate)
    assert "gate_front" in told
    asked = home.approved("ada", "bea", "gates.face-search", {"target": "gate_front"})
    home.refused("ada", "PUT", f"{HERE}/gates/gate_back", gate, params={"approval_id": asked})
    home.refused("ada", "PUT", f"{HERE}/rules", rules, params={"approval_id": asked})
    home.done("ada", "PUT", f"{HERE}/gates/gate_front", gate, params={"approval_id": asked})
    home.done("ada", "PUT", f"{HERE}/gates/gate_front", gate | {"name": "Front"})  # it searches already
    home.done("ada", "PUT", f"{HERE}/gates/gate_front", gate | {"identification": "1:1"})
    home.refused("ada", "PUT", f"{HERE}/gates/gate_front", gate, params={"approval_id": asked})
    whole = home.approved("ada", "bea", "gates.face-search", {"target": "site"})
    home.done("ada", "PUT", f"{HERE}/rules", rules, params={"approval_id": whole})
    home.done("ada", "PUT", f"{HERE}/gates/gate_back", {"name": "back"})  # as the site does
    home.refused("ada", "PUT", f"{HERE}/gates/gate_front", {"name": "front"})  # it verified until now


def enrol(home: Household, who: str, person: str, distinct: Approved | str | None = None) -> bool:
    with home.house.unit(home.room.actor(home.ids[who])) as unit:
        return enrol_face(
            unit,
            home.house.recogniser,
            person,
            photos(1),
            basis=Basis.CONSENT,
            notice="1",
            distinct_reason=distinct,
        ).enrolled


def test_a_face_like_anothers_takes_two_people_where_there_are_two(home: Household) -> None:
    first, twin, third = home.persons(3)
    assert enrol(home, "cyd", first)
    assert not enrol(home, "cyd", twin)
    for who in ("cyd", "ada"):
        with pytest.raises(Denied, match=r"people\.enrol-alike"):
            enrol(home, who, twin, "twins, both seen")
    asked = home.approved("cyd", "ada", "people.enrol-alike", {"person": twin, "alike": [first]})
    with pytest.raises(Denied):
        enrol(home, "cyd", third, Approved("twins, both seen", asked))
    assert enrol(home, "cyd", twin, Approved("twins, both seen", asked))
    with pytest.raises(Denied):
        enrol(home, "cyd", twin, Approved("twins, both seen", asked))


def test_where_nobody_else_could_approve_one_who_may_approve_looks_alone(home: Household) -> None:
    first, twin = home.persons(2)
    assert enrol(home, "cyd", first)
    with home.house.database.unit(home.room.actor(home.ids["bea"]), "*") as unit:
        roles.take_role(unit, home.ids["bea"], Role.ADMINISTRATOR)
    with pytest.raises(Denied):
        enrol(home, "cyd", twin, "twins, both seen")
    assert enrol(home, "ada", twin, "twins, both seen")


def test_a_proposal_names_exactly_the_facts_of_its_action(home: Household) -> None:
    for action, facts in (
        ("audit.expire", {}),
        ("audit.expire", {"before": "2030-01-08T00:00:00Z", "more": "x"}),
        ("audit.expire", {"before": "yesterday"}),
        ("audit.expire", {"before": "2030-01-08T00:00:00"}),
        ("people.erase-many", {"subjects": 250}),
    ):
        body = {"action": action, "facts": facts, "reason": "because"}
        assert home.ask("ada", "POST", f"{HERE}/approvals", body).status_code == 422


def test_the_word_of_somebody_who_may_no_longer_approve_counts_no_more(home: Household) -> None:
    facts = {"target": "site"}
    asked = home.approved("ada", "bea", "gates.face-search", facts)
    with home.house.database.unit(home.room.actor(home.ids["bea"]), "*") as unit:
        roles.take_role(unit, home.ids["bea"], Role.ADMINISTRATOR)
    home.refused("ada", "PUT", f"{HERE}/rules", {"identification": "1:n"}, params={"approval_id": asked})


def test_an_approval_ends_after_a_day(home: Household) -> None:
    asked = home.approved("ada", "bea", "gates.face-search", {"target": "site"})
    home.clock.advance(days=1)
    home.refused("ada", "PUT", f"{HERE}/rules", {"identification": "1:n"}, params={"approval_id": asked})
