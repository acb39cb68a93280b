"""A day at a made-up site, then every byte it left is searched for everything personal it was told."""

import base64
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from faker import Faker

from doorward.app.house import House, create_house
from doorward.app.local_agent import local_agent
from doorward.audit.service import export, sign_head, verify
from doorward.core.ids import new_id
from doorward.gates.model import Factor, Gate, Grant
from doorward.gates.service import grant, list_passages, set_piece
from doorward.gates.store.passages import Wanted
from doorward.people.model import Basis
from doorward.people.service import (
    NewPerson,
    add_card,
    add_person,
    add_vehicle,
    find_by_name,
    forget_person,
    issue_qr,
    set_pin,
    view_person,
)
from doorward.platform.paging import page_request
from doorward.vault.model import Purpose
from doorward.vault.service import add_photo
from doorward_edge.drivers.simulated import SimulatedReader
from doorward_edge.ports import ReaderEvent, Shown

PEOPLE = 12


@dataclass
class Told:
    """Everything personal that the site was told."""

    words: dict[str, str] = field(default_factory=dict)
    pictures: list[bytes] = field(default_factory=list)

    def say(self, kind: str, word: str) -> str:
        self.words[word] = kind
        return word


def forms(word: str) -> Iterator[bytes]:
    """The ways in which a word may lie on a disk."""
    for text in {word, word.upper(), word.lower(), word.casefold()}:
        raw = text.encode()
        yield from (raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode())
        yield raw.hex().upper().encode()
        # Base 64 of a word inside other bytes starts at one of three places; its middle is the same anyway.
        for shift in range(3):
            inside = base64.b64encode(bytes(shift) + raw)[4:-4]
            if len(inside) >= 8:
                yield from (inside, inside.replace(b"+", b"-").replace(b"/", b"_"))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = create_house(tmp_path / "site")
    yield opened
    opened.close()


def live_a_day(house: House, told: Told) -> None:
    faker = Faker("en_GB")
    faker.seed_instance(7)
    gate = Gate(id=new_id("gate"), name="front", factors=((Factor.CARD, Factor.PIN), (Factor.QR,)))
    shown: list[list[ReaderEvent]] = []
    with house.unit() as unit:
        set_piece(unit, house.post, gate)
    for number in range(PEOPLE):
        name = told.say("name", faker.unique.name())
        id_number = told.say("ID number", faker.unique.bothify("??######?").upper())
        card = told.say("card", faker.unique.bothify("################"))
        with house.unit() as unit:
            new = NewPerson(name=name, basis=Basis.CONTRACT, id_number=id_number)
            person = add_person(unit, house.vault, new)
            add_card(unit, house.vault, person.id, card)
            set_pin(unit, house.vault, person.id, "8361", duress="7294")
            qr = told.say("QR code", issue_qr(unit, house.vault, person.id))
            add_vehicle(unit, house.vault, told.say("plate", faker.unique.bothify("???####").upper()))
            picture = np.random.default_rng(number).bytes(3000)
            told.pictures.append(picture)
            add_photo(unit, house.vault, person.id, picture)
            grant(unit, house.post, Grant(id="", holder_id=person.id))
            view_person(unit, house.vault, person.id, purpose="reception")
        shown.append([ReaderEvent(Shown.CARD, card), ReaderEvent(Shown.PIN, "8361")])
        shown.append([ReaderEvent(Shown.QR, qr)])
    pass_all(house, gate, shown)
    with house.unit() as unit:
        first = find_by_name(unit, house.vault, next(iter(told.words)))[0]
        forget_person(unit, house.vault, first)


def pass_all(house: House, gate: Gate, shown: list[list[ReaderEvent]]) -> None:
    reader = SimulatedReader()
    agent = local_agent(house, gate, None, readers=[reader])
    decisions = agent.passages()
    for events in shown:
        for event in events:
            reader.show(event)
        next(decisions)
    agent.stop()
    list(decisions)


def test_a_day_leaves_nothing_personal_on_the_disk(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = Told()
    live_a_day(house, told)
    with house.unit() as unit:
        opened = [one for one in list_passages(unit, Wanted(), page_request(limit=200))]
        sign_head(unit, house.vault.signer(Purpose.AUDIT))
        assert verify(unit, house.vault.public_keys(Purpose.AUDIT)).size > 100
        export(unit, tmp_path / "export")
    assert len(opened) == 2 * PEOPLE
    (tmp_path / "log.txt").write_text(caplog.text + repr(caplog.records))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files) and any("objects" in path.parts for path in files)
    left = {path: path.read_bytes() + str(path).encode() for path in files}
    found = [
        f"{kind} in {path.name}"
        for word, kind in told.words.items()
        for form in forms(word)
        for path, content in left.items()
        if form in content
    ]
    found += [
        f"picture in {path.name}"
        for picture in told.pictures
        for path, content in left.items()
        if picture[100:132] in content or picture[100:132].hex().encode() in content
    ]
    assert not found


def test_the_search_itself_finds_what_is_there(tmp_path: Path) -> None:
    word = "Ada Lovelace"
    hidden = [word.encode(), word.encode("utf-16-le"), word.upper().encode().hex().encode()]
    hidden.append(base64.b64encode(b"x" + word.encode() + b"y"))
    for content in hidden:
        assert any(form in b"..." + content + b"..." for form in forms(word))
