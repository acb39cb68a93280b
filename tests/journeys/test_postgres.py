"""The main job of a site whose records lie on PostgreSQL, from its first command to its turned keys."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from doorward.app.house import House, open_house
from doorward.app.wiring import build_api, build_worker
from doorward.core.permissions import system_actor
from tests.journeys.conftest import Terminal
from tests.postgres import Grown, grow

SITE = "/api/v1/sites/site_home"
CARD = "04A1B2C3"


@pytest.fixture
def grown_site(grown: Grown, tmp_path: Path) -> Terminal:
    """A folder whose site will keep its records on PostgreSQL."""
    grow(tmp_path / "site", grown.new_database())
    return Terminal(tmp_path / "site")


def at_the_desk(house: House) -> str:
    """Somebody registered, given a card and looked up over REST; who it is."""
    api = build_api(house)
    api.state.authenticate = lambda _: system_actor("desk")
    with TestClient(api, base_url="https://localhost") as client:
        body = {"name": "Bo Example", "basis": "contract", "notice_version": "1"}
        twice = [
            client.post(f"{SITE}/persons", json=body, headers={"Idempotency-Key": "key-of-bo-example"}).json()
            for _ in range(2)
        ]
        assert twice[0] == twice[1], "sent twice, done once"
        person = str(twice[0]["id"])
        assert client.post(f"{SITE}/persons/{person}/cards", json={"number": "04A1B2C4"}).is_success
        found: dict[str, Any] = client.post(f"{SITE}/persons/search", json={"name": "Bo Example"}).json()
        passages = client.get(f"{SITE}/passages", params={"limit": 1}).json()
        assert person in str(found) and len(passages["items"]) == 1
        assert client.get("/health").json() == {"status": "ok"}
    return person


def test_the_main_job_is_done_on_postgresql(grown_site: Terminal, photos: list[Path]) -> None:
    doorward, photo = grown_site, str(photos[3])
    assert doorward("init").code == 0
    assert doorward("enrol", "Ada Example", *map(str, photos[:3])).lines[-1]["enrolled"]
    assert doorward("person", "card", "Ada Example", CARD).code == 0
    assert doorward("zone", "add", "office").code == 0
    gate = ["--factors", "card+face", "--frames", "1", "--to", "office"]
    assert doorward("gate", "add", "front", *gate).code == 0
    assert doorward("grant", "Ada Example", "front").code == 0
    assert doorward("watch", "front", photo, "--card", CARD).lines[0]["because"] == "granted"
    assert doorward("watch", "front", photo, "--card", "04FFFFFF").lines[0]["because"] != "granted"
    house = open_house(doorward.folder)
    person = at_the_desk(house)
    assert doorward("keys", "rotate", "--all").code == 0
    assert doorward("watch", "front", photo, "--card", CARD).lines[0]["because"] == "granted"
    assert doorward("person", "forget", "Ada Example").code == 0
    assert build_worker(house).turn() > 0
    house.close()
    assert doorward("watch", "front", photo, "--card", CARD).lines[0]["because"] == "unknown"
    assert [line["state"] for line in doorward("events").lines].count("opened") == 2
    assert doorward("audit", "verify").one["whole"]
    assert doorward("audit", "ledger", person).lines[0]["event"] == "person.added"
    assert list((doorward.folder / "data").glob("doorward.db*")) == []
