"""A small real site in a folder, processes that open it, and an agent's signed messages."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from faker import Faker

from doorward.app.house import House, create_house, open_house
from doorward.audit.model import Verification
from doorward.audit.service import list_entries, sign_head, verify
from doorward.core import wire
from doorward.core.encoding import to_text
from doorward.core.permissions import EVERY_RIGHT, EVERY_SITE
from doorward.core.wire import Permit, Sighting, Signed
from doorward.gates.model import Agent, Factor, Gate, Grant, Passage, Zone
from doorward.gates.service import Wanted, grant, list_passages, set_piece
from doorward.people.model import Basis
from doorward.people.rules.roles import NEVER_FOR_PROGRAMS
from doorward.people.service import NewPerson, add_card, add_person
from doorward.people.service.api_keys import make_api_key
from doorward.people.service.authentication import identify_caller, touch
from doorward.platform.db import Unit
from doorward.platform.paging import PageRequest
from doorward.vault.model import Purpose
from tests.faults.processes import PATIENCE, Running, Zygote

AGENT_KEY = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
AGENT, GATE, CARD = "agent_1", "gate_card", "04AABBCCDDEEFF"
NEVER = "never"
ALL = PageRequest(None, 200)


@dataclass(frozen=True)
class Facts:
    """What a caller must know to be let in."""

    token: str
    person_id: str
    server_key: bytes


def furnish(folder: Path) -> Facts:
    """A site with one gate, its agent, somebody who may pass it by card, and a key for programs."""
    house = create_house(folder)
    with house.unit() as unit:
        facts = Facts(_token(unit, house), employ(unit, house), house.post.keys.public)
        plan(unit, house, facts.person_id)
    house.close()
    return facts


def plan(unit: Unit, house: House, person_id: str) -> None:
    """One gate, the agent beside it, and who may pass."""
    gate = Gate(id=GATE, name="Card", factors=((Factor.CARD,),), to_zone_id="zone_hall")
    key = to_text(AGENT_KEY.public_key().public_bytes_raw())
    set_piece(unit, house.post, Zone(id="zone_hall", name="Hall"))
    set_piece(unit, house.post, gate)
    set_piece(unit, house.post, Agent(id=AGENT, name="Post", public_key=key, gate_ids=(GATE,)))
    grant(unit, house.post, Grant(id="", holder_id=person_id))


def _token(unit: Unit, house: House) -> str:
    rights = {EVERY_SITE: EVERY_RIGHT - NEVER_FOR_PROGRAMS}
    until = unit.now + timedelta(days=700)
    token = make_api_key(unit, house.vault, label="faults", rights=rights, expires_at=until)[1]
    # Its first use is written down, which would be one more commit in the tests that count them.
    sent = f"Bearer {token}"
    touch(unit, identify_caller(unit, house.vault, cookie=None, authorization=sent, address=None))
    return token


def employ(unit: Unit, house: House, card: str = CARD) -> str:
    """Somebody with a card."""
    person = add_person(unit, house.vault, NewPerson(name=Faker().name(), basis=Basis.CONSENT))
    add_card(unit, house.vault, person.id, card)
    return person.id


@dataclass
class Site:
    """The folder, who is known there, and processes that open it one after the other."""

    folder: Path
    zygote: Zygote
    facts: Facts
    said: Path
    starts: Iterator[int] = field(default_factory=count)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def database(self) -> Path:
        """The encrypted file."""
        return self.folder / "data" / "doorward.db"

    @contextmanager
    def serving(self, step: str = NEVER, path: str = "") -> Iterator[Running]:
        """A server until the block ends, killed then if it still runs."""
        said = self.said / f"server{next(self.starts)}"
        pid = self.zygote.start("serve", [str(self.folder), step, path], said)
        headers = {"Authorization": f"Bearer {self.facts.token}", "Accept": "application/json"}
        try:
            url = f"http://127.0.0.1:{_port(said)}"
            with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False) as client:
                yield Running(pid, client, said, self.zygote)
        finally:
            if self.zygote.wait(pid, 0) is None:
                os.kill(pid, signal.SIGKILL)
                self.zygote.wait(pid)

    def run(self, *words: str) -> tuple[int | None, str, str]:
        """One command: its exit code and what it said."""
        said = self.said / f"command{next(self.starts)}"
        pid = self.zygote.start("command", [*words, "--folder", str(self.folder)], said)
        code = self.zygote.wait(pid)
        return code, said.with_suffix(".out").read_text(), said.with_suffix(".err").read_text()

    @contextmanager
    def opened(self) -> Iterator[House]:
        """The site opened here, while no server runs or beside one."""
        house = open_house(self.folder)
        try:
            yield house
        finally:
            house.close()

    def verified(self) -> Verification:
        """The log walked over from end to end."""
        with self.opened() as house, house.unit() as unit:
            sign_head(unit, house.vault.audit_signer())
            return verify(unit, house.vault.public_keys(Purpose.AUDIT))

    def passages(self) -> list[Passage]:
        """Every decision, newest first."""
        with self.opened() as house, house.unit() as unit:
            return [one.passage for one in list_passages(unit, Wanted(), ALL)]

    def events(self) -> list[str]:
        """What the log says, newest first."""
        with self.opened() as house, house.unit() as unit:
            return [entry.event for entry in list_entries(unit, ALL).items]

    def sighting(self, *, number: int | None = None, **facts: Any) -> Signed:
        """Somebody with the card before the gate."""
        held: dict[str, Any] = {"seen_at": datetime.now(UTC), "card": CARD}
        sequence = number or next(self.numbers)
        return self.sign(Sighting(agent_id=AGENT, gate_id=GATE, sequence=sequence, **(held | facts)))

    def sign(self, message: Any) -> Signed:
        """As the agent beside the gate signs."""
        return wire.seal_message(AGENT_KEY, AGENT, message)

    def permit(self, answer: httpx.Response) -> Permit:
        """What a signed answer says; its signature is checked."""
        assert answer.status_code == 200, answer.text
        key = Ed25519PublicKey.from_public_bytes(self.facts.server_key)
        return wire.open_message(key, Permit, Signed.from_json(answer.json()))


def _port(said: Path) -> int:
    out, until = said.with_suffix(".out"), time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if out.exists() and out.read_text().endswith("\n"):
            return int(out.read_text())
        time.sleep(0.005)
    raise AssertionError(said.with_suffix(".err").read_text())
