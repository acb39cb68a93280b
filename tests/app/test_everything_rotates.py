"""Every key changes while people are enrolled and doors decide; then old keys open nothing and all reads."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from doorward.app.house import CONSOLE, House, create_house, open_house
from doorward.app.keepers import keepers_of
from doorward.app.schedule import Worker
from doorward.app.wiring import build_api, build_handlers, build_schedule
from doorward.audit.service import verify
from doorward.core import wire
from doorward.core.encoding import to_text
from doorward.core.errors import Denied, DoorwardError, Tampered
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE, Actor
from doorward.core.wire import Permit, Sighting
from doorward.gates.model import Agent, Factor, Gate, Grant
from doorward.gates.service import admit, set_piece
from doorward.gates.service import grant as give
from doorward.people.model import Basis
from doorward.people.model.roles import Role
from doorward.people.service import NewPerson, add_card, add_person, find_by_name, issue_qr, view_person
from doorward.people.service.api_keys import make_agent_key
from doorward.people.service.authentication import identify_caller
from doorward.people.service.staff import create_staff, list_staff
from doorward.platform.paging import PageRequest
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.model import KeyName, Purpose, Use
from doorward.vault.rules import LINGERS, key_names
from doorward.vault.service import (
    Vault,
    add_photo,
    begin_rotation,
    grant_view,
    half_done,
    list_photos,
    redeem_view,
)

from ..writer import Writer

AGENT = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
BOSS = Actor("staff_boss", {EVERY_SITE: EVERY_RIGHT})
GATE = Gate(id="gate_card", name="Card", factors=((Factor.CARD,),))


class Town:
    """Enrols people from one thread, and lets each through a gate at once."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.people: dict[str, tuple[str, str]] = {}
        self._sightings = itertools.count(1)
        self._writer = Writer(lambda number: self.enrol(number + 1))
        public = to_text(AGENT.public_key().public_bytes_raw())
        with house.unit() as unit:
            set_piece(unit, house.post, GATE)
            agent = Agent(id="agent_1", name="Post", public_key=public, gate_ids=(GATE.id,))
            set_piece(unit, house.post, agent)

    def __enter__(self) -> "Town":
        self._writer.__enter__()
        return self

    def __exit__(self, *problem: object) -> None:
        self._writer.__exit__(*problem)
        assert self.people

    def enrol(self, number: int) -> None:
        house, name, card = self.house, f"Person Number {number}", f"C4RD{number:04}"
        with house.unit() as unit:
            new = NewPerson(name=name, basis=Basis.CONTRACT, id_number=f"ID{number:06}")
            person = add_person(unit, house.vault, new)
            add_card(unit, house.vault, person.id, card)
            issue_qr(unit, house.vault, person.id)
            add_photo(unit, house.vault, person.id, b"\xff\xd8" + bytes(99))
            give(unit, house.post, Grant(id="", holder_id=person.id, target_id=GATE.id))
        self.people[person.id] = (name, card)
        assert self.opens(card)

    def opens(self, card: str, house: House | None = None) -> bool:
        house, number = house or self.house, next(self._sightings)
        asked = Sighting(
            agent_id="agent_1", gate_id=GATE.id, seen_at=house.database.clock(), sequence=number, card=card
        )
        with house.unit() as unit:
            answer = admit(unit, house.post, wire.seal_message(AGENT, "agent_1", asked))
        return wire.open_message(house.post.keys.signing.public_key(), Permit, answer).opens

    def all_reads(self, house: House) -> None:
        for person_id, (name, card) in self.people.items():
            with house.unit() as unit:
                assert find_by_name(unit, house.vault, name.upper()) == [person_id]
                assert view_person(unit, house.vault, person_id, purpose="test-read").name == name
                (photo,) = list_photos(unit, person_id)
                token = grant_view(unit, house.vault, photo, purpose="test-read")
                assert redeem_view(unit, house.vault, token).startswith(b"\xff\xd8")
            assert self.opens(card, house)
        with house.database.unit(CONSOLE, EVERY_SITE) as unit:
            verify(unit, house.vault.audit_keys())
            assert [one.login for one in list_staff(unit, house.vault, PageRequest(None, 9))] == ["dana"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site"


@pytest.fixture
def house(folder: Path) -> Iterator[House]:
    made = create_house(folder)
    yield made
    made.close()


@pytest.fixture
def boss(house: House) -> Iterator[TestClient]:
    api = build_api(house)
    api.state.authenticate = lambda _: BOSS
    api.state.second_person = lambda *_: None
    with TestClient(api, base_url="https://testserver") as client:
        yield client


def test_every_key_but_those_of_permits_has_movers_and_whatever_moves_is_counted(house: House) -> None:
    keepers = keepers_of(house.vault)
    for name in key_names():
        if name.use in (Use.OPEN, Use.SIGN):
            continue
        assert name in keepers.movers, name
        assert bool(keepers.movers[name]) == (name in keepers.counters), name


def test_everything_rotates_while_people_are_enrolled_and_doors_decide(
    house: House, boss: TestClient, folder: Path, tmp_path: Path
) -> None:
    with house.database.unit(CONSOLE, EVERY_SITE) as unit:
        create_staff(unit, house.vault, login="dana", name="Dana", role=Role.GUARD)
        until = unit.now.replace(year=unit.now.year + 1)
    with house.unit() as unit:
        _, token = make_agent_key(unit, house.vault, label="gate", expires_at=until)
    before = house.vault.ring.read()
    shutil.copytree(folder / "keys", tmp_path / "old-keys")
    with Town(house) as town:
        town.enrol(0)
        for name in key_names():
            if name.use is not Use.OPEN:
                body = {"use": name.use, "purpose": name.purpose}
                assert _posted(boss, "rotations", body)["done"], name
        assert len(_posted(boss, "ratchet")["turned"]) == 2
        assert _posted(boss, "rekey") == {"generation": 2}
        assert _posted(boss, "root")["ring_id"] != before.ring_id
    now = house.vault.ring.read()
    for name, generations in before.keys.items():
        if name not in LINGERS:
            assert not set(generations) & set(now.keys[name]), name
    town.all_reads(house)
    house.close()
    again = open_house(folder)
    town.all_reads(again)
    with again.database.reading(CONSOLE, EVERY_SITE) as unit:
        sent = f"Bearer {token}"
        identify_caller(unit, again.vault, cookie=None, authorization=sent, address=None)
    again.close()
    _old_keys_open_nothing(folder, tmp_path / "old-keys", town)


def _old_keys_open_nothing(folder: Path, old_keys: Path, town: Town) -> None:
    """With the old root the new ring stays shut; with the old ring and root, today's records do."""
    vault = town.house.vault
    with pytest.raises(Denied):
        Vault.open(folder / "keys", FileCustodian(old_keys / "root.key"), vault.objects)
    old = Vault.open(old_keys, FileCustodian(old_keys / "root.key"), vault.objects)
    (folder / "keys").rename(folder / "new-keys")
    shutil.copytree(old_keys, folder / "keys")
    with pytest.raises(DoorwardError):  # the file of records itself does not open
        open_house(folder)
    shutil.rmtree(folder / "keys")
    (folder / "new-keys").rename(folder / "keys")
    again = open_house(folder)
    with again.unit() as unit, pytest.raises(Tampered):  # nor, with it open, any record in it
        view_person(unit, old, next(iter(town.people)), purpose="test-read")
    again.close()


def test_the_schedule_finishes_what_was_left_half_done(house: House) -> None:
    town = Town(house)
    for number in range(3):
        town.enrol(number)
    movers = keepers_of(house.vault).movers
    names = [KeyName(Use.WRAP, Purpose.PEOPLE), KeyName(Use.BLIND, Purpose.BLIND_CARD)]
    for name in names:
        begin_rotation(house.database, house.vault, name, movers)
    with house.vault.ring.change() as ring:
        ring.add(KeyName(Use.OPEN, Purpose.DATABASE), house.database.clock())
    instants = itertools.count(0.0, 2.0)
    schedule = build_schedule(house)
    worker = Worker(
        house.database, house.site_id, build_handlers(house), schedule, monotonic=instants.__next__
    )
    for _ in range(12):
        worker.turn()
    assert half_done(house.vault, house.database.clock()) == []
    assert all(house.vault.generations(name) == [2] for name in names)
    assert all(town.opens(card) for _, card in town.people.values())


def _posted(boss: TestClient, what: str, body: object = None) -> dict[str, Any]:
    answer = boss.post(f"/api/v1/vault/{what}", json=body if body is not None else {})
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told
