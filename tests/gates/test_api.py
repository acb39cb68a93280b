from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from doorward.core.encoding import to_text
from doorward.core.errors import Denied, NotFound
from doorward.core.permissions import Actor, Permission
from doorward.core.wire import OfflinePolicy, Permit, Signed, TimeReply, Wants, decode
from doorward.gates.api import ROUTES
from doorward.gates.service import Desk
from tests.conftest import GUARD, SITE
from tests.gates.scene import AGENT_KEY, CARD_GATE, Scene

HERE = f"/api/v1/sites/{SITE}"


class Door:
    """The routes behind a door that knows one actor."""

    def __init__(self, scene: Scene) -> None:
        self.app = FastAPI()
        for routes in ROUTES:
            self.app.include_router(routes.router)
        self.app.state.database = scene.database
        self.app.state.desk = Desk(scene.database, scene.post)
        self.let_in(GUARD)
        self.client = TestClient(self.app)

    def let_in(self, actor: Actor) -> None:
        self.app.state.authenticate = lambda _: actor

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.client.request(method, HERE + path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()


@pytest.fixture
def door(scene: Scene) -> Iterator[Door]:
    yield Door(scene)


def test_a_site_is_set_up_and_a_gate_opened_through_the_routes(door: Door, scene: Scene) -> None:
    door.call("PUT", "/rules", {"time_zone": "Europe/Berlin", "calendar": {"country": "DE"}})
    door.call("PUT", "/zones/yard", {"name": "Yard", "capacity": 5})
    door.call("PUT", "/gates/side", {"name": "Side", "factors": [["card"]], "to_zone_id": "yard"})
    door.call("PUT", "/levels/all", {"name": "All", "gate_ids": ["side", CARD_GATE.id]})
    day = [{"opens": 0, "closes": 1440}]
    door.call("PUT", "/schedules/always", {"name": "Always", "weekly": [day] * 7, "on_holidays": None})
    key = to_text(AGENT_KEY.public_key().public_bytes_raw())
    door.call("PUT", "/agents/agent_1", {"name": "Post", "public_key": key, "gate_ids": ["side"]})
    made = door.call(
        "POST", "/grants", {"holder_id": "person_bob", "target_id": "all", "schedule_id": "always"}
    )
    assert made["made_by"] == GUARD.id
    answer = door.call("POST", "/edge/sightings", scene.sighting("side", card="card-bob").to_json())
    permit = decode(Permit, Signed.from_json(answer).body)
    assert permit.opens
    (passage,) = door.call("GET", "/passages")["items"]
    assert passage["subject_id"] == "person_bob"
    assert {"rule": "grant", "passed": True, "detail": "granted here and now", "refusal": None} in passage[
        "trace"
    ]
    assert [one["zone_id"] for one in door.call("GET", "/presence")["items"]] == ["yard"]
    gates = {one["id"]: one for one in door.call("GET", "/gates")}
    assert gates["side"]["factors"] == [["card"]]


def test_passages_come_in_pages_latest_first(door: Door, scene: Scene) -> None:
    for _ in range(5):
        scene.card()
    first = door.call("GET", "/passages?limit=3")
    second = door.call("GET", f"/passages?limit=3&cursor={first['next_cursor']}")
    ids = [one["id"] for one in first["items"] + second["items"]]
    assert len(set(ids)) == 5
    assert second["next_cursor"] is None
    assert door.call("GET", "/passages?state=refused")["items"] == []


def test_a_lockdown_needs_its_own_right(door: Door, scene: Scene) -> None:
    order = {"verb": "lockdown", "reason": "threat"}
    with pytest.raises(Denied):
        door.client.post(HERE + "/orders", json=order)
    made = door.call("POST", "/emergencies", order)
    assert scene.card().because == "lockdown"
    with pytest.raises(Denied):
        door.client.post(f"{HERE}/orders/{made['id']}/release", json={"reason": "drill"})
    door.call("POST", f"/emergencies/{made['id']}/release", {"reason": "drill"})
    assert door.call("GET", "/orders") == []
    door.let_in(Actor("staff_other", {SITE: frozenset({Permission.GATES_COMMAND})}))
    with pytest.raises(Denied):
        door.client.post(HERE + "/emergencies", json=order)
    door.let_in(Actor("staff_elsewhere", {"site_other": frozenset(Permission)}))
    with pytest.raises(NotFound):
        door.client.get(HERE + "/gates")


def test_a_misspelt_limit_is_an_error(door: Door) -> None:
    answer = door.client.put(HERE + "/zones/yard", json={"name": "Yard", "capasity": 5})
    assert answer.status_code == 422


def test_a_forged_sighting_is_refused_and_somebody_hears_of_it(door: Door, scene: Scene) -> None:
    signed = scene.sighting(card="card-ada")
    forged = Signed(signed.body, signed.signer_id, bytes(64))
    for _ in range(2):
        with pytest.raises(Denied):
            door.client.post(HERE + "/edge/sightings", json=forged.to_json())
    (alarm,) = door.call("GET", "/alarms")["items"]
    assert (alarm["kind"], alarm["place_id"]) == ("message-refused", "agent_1")
    door.call("POST", f"/alarms/{alarm['id']}/acknowledge")
    assert door.call("GET", "/alarms")["items"] == []


def test_staff_open_a_gate_and_call_the_roll(door: Door, scene: Scene) -> None:
    scene.card()
    passage = door.call("POST", f"/gates/{CARD_GATE.id}/open", {"reason": "delivery", "reference": "T-17"})
    assert passage["because"] == "commanded"
    call = door.call("POST", "/roll-calls", {"drill": True})
    assert call["missing"] == ["person_ada"]
    here = f"/roll-calls/{call['call']['id']}"
    done = door.call("POST", here + "/safe", {"subject_id": "person_ada", "muster_point": "Gate"})
    assert (done["missing"], done["safe"]) == ([], ["person_ada"])
    door.call("POST", here + "/end")
    assert door.call("POST", "/presence/forgive", {"subject_id": None, "reason": "misread"}) == {"count": 1}


def test_who_is_inside_needs_the_right_to_see_people(door: Door, scene: Scene) -> None:
    scene.card()
    call = door.call("POST", "/roll-calls", {"drill": True})["call"]["id"]
    warden = frozenset({Permission.GATES_EMERGENCY, Permission.GATES_PASSAGES})
    door.let_in(Actor("staff_warden", {SITE: warden}))
    with pytest.raises(Denied):
        door.client.post(HERE + "/roll-calls", json={"drill": True})
    with pytest.raises(Denied):
        door.client.get(f"{HERE}/roll-calls/{call}/page")
    done = door.call("POST", f"/roll-calls/{call}/safe", {"subject_id": "person_ada", "muster_point": "Gate"})
    assert done["safe"] == ["person_ada"]


def test_an_order_may_end_by_itself(door: Door, scene: Scene) -> None:
    until = (scene.clock.now + timedelta(minutes=5)).isoformat()
    order = {"verb": "unlock", "reason": "delivery", "gate_id": CARD_GATE.id, "until": until}
    assert door.call("POST", "/orders", order)["until"] is not None
    assert len(door.call("GET", "/orders")) == 1
    scene.clock.advance(minutes=5)
    assert door.call("GET", "/orders") == []


def test_a_policy_is_fetched_through_the_routes(door: Door, scene: Scene) -> None:
    signed = scene.request(Wants.POLICY)
    answer = Signed.from_json(door.call("POST", "/edge/requests", signed.to_json()))
    assert len(decode(OfflinePolicy, answer.body).entries) == 2
    reply = door.call("POST", "/edge/requests", scene.request().to_json())
    assert decode(TimeReply, Signed.from_json(reply).body).next_sequence == 1


def test_every_route_is_declared_with_a_right() -> None:
    for routes in ROUTES:
        for route in routes.router.routes:
            needs = getattr(route, "openapi_extra", {})["x-needs"]
            assert needs in set(Permission), route
