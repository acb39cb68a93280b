"""A real decider in a process of its own, and a site whose gates ask it over a real line."""

import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from doorward.app.house import House, create_house, open_house
from doorward.app.wiring import build_handlers, build_schedule
from doorward.core.clock import Clock, system_clock
from doorward.core.key_files import public_text
from doorward.core.permissions import EVERY_RIGHT, Actor
from doorward.gates.model import Factor, Gate, Grant, Identification
from doorward.gates.service.known import Known
from doorward.people import service as people
from doorward.people.drivers.remote_decider import RemoteDecider
from doorward.people.model import Basis
from doorward.people.service import NewPerson
from doorward.platform.db import Unit
from doorward.platform.jobs import run_due
from doorward.vault.model import Purpose
from doorward_edge.passage import FaceSeen
from tests.conftest import GUARD, SITE
from tests.gates.scene import CARD_GATE, Scene
from tests.people.office import near, photos

PROGRAM = [sys.executable, "-c", "from doorward.app.decider.cli import main; main()"]
FACE_GATE = Gate(
    id="gate_face", name="Face", factors=((Factor.FACE,),), identification=Identification.ONE_TO_MANY
)
BOTH_GATE = Gate(id="gate_both", name="Both", factors=((Factor.CARD, Factor.FACE),))
PIN_GATE = Gate(id="gate_pin", name="PIN", factors=((Factor.CARD, Factor.PIN),))


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The program, to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


class RealClock:
    """The machine's own: requests are believed near their time alone."""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        raise AssertionError("nobody sets this one")


@dataclass
class Running:
    """A decider's folder and its process."""

    folder: Path
    process: subprocess.Popen[str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, *servers: str, tls: bool = True, **deciding: object) -> "Running":
        words = [word for server in servers for word in ("--server", server)]
        made = run("init", folder, "--port", str(free_port()), *words)
        assert made.returncode == 0, made.stderr
        path = folder / "doorward.toml"
        more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in deciding.items())
        path.write_text(path.read_text().replace("[web]\n", f"[web]\ntls = {json.dumps(tls)}\n") + more)
        return cls(folder)

    def start(self) -> "Running":
        self.process = subprocess.Popen(
            [*PROGRAM, "serve", str(self.folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.facts = json.loads(line)
        return self

    def kill(self) -> None:
        """As a power cut: nothing is tidied up."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def settings(self, **more: object) -> str:
        """What the server's doorward.toml must say."""
        told = {name: self.facts[name] for name in ("url", "public_key", "certificate") if name in self.facts}
        return "[decider]\n" + "".join(
            f"{name} = {json.dumps(value)}\n" for name, value in (told | more).items()
        )


def server_key(house: House) -> str:
    return public_text(house.vault.signing_key(Purpose.DECIDER))


def configure(folder: Path, text: str) -> None:
    path = folder / "doorward.toml"
    path.write_text(text)
    path.chmod(0o600)


class Site:
    """A server's folder, opened: gates, people, and whatever comes round."""

    def __init__(self, folder: Path, clock: Clock = system_clock) -> None:
        self.house = open_house(folder, clock)
        self.scene = Scene(self.house.database, RealClock())  # type: ignore[arg-type]
        self.scene.post = replace(self.scene.post, identifier=Known(self.house.recogniser))
        for gate in (FACE_GATE, BOTH_GATE, PIN_GATE):
            self.scene.set(gate)
        self.scene.register(CARD_GATE.id, FACE_GATE.id, BOTH_GATE.id, PIN_GATE.id)
        self._cards = itertools.count(int(datetime.now(UTC).timestamp() * 1000))
        self.cards: dict[str, str] = {}

    @property
    def decider(self) -> RemoteDecider:
        matcher = self.house.recogniser.matcher
        assert isinstance(matcher, RemoteDecider)
        return matcher

    @contextmanager
    def unit(self, actor: Actor = GUARD) -> Iterator[Unit]:
        with self.house.database.unit(actor, SITE) as unit:
            yield unit

    def person(self) -> str:
        """Somebody with a card and a PIN who may pass everywhere."""
        with self.unit() as unit:
            person = people.add_person(unit, self.house.vault, NewPerson(name="Ada", basis=Basis.CONSENT))
            self.cards[person.id] = str(next(self._cards))
            people.add_card(unit, self.house.vault, person.id, self.cards[person.id])
            people.set_pin(unit, self.house.vault, person.id, "4826", duress="9173")
        self.scene.grant(Grant(id="", holder_id=person.id))
        return person.id

    def enrol(self, person_id: str, seed: int) -> None:
        with self.unit() as unit:
            told: dict[str, Any] = {"basis": Basis.CONSENT, "notice": "1"}
            done = people.enrol_face(unit, self.house.recogniser, person_id, photos(seed), **told)
        assert done.enrolled, done

    def known(self, seed: int) -> str:
        person_id = self.person()
        self.enrol(person_id, seed)
        return person_id

    def forget(self, person_id: str) -> None:
        with self.unit() as unit:
            people.forget_person(unit, self.house.recogniser, person_id)

    def passes(self, seed: int, *, gate: Gate = FACE_GATE, **facts: object) -> str | None:
        """What the gate's server says of this face."""
        shown = FaceSeen(template=near(seed, 9), frames=5, quality=12.0, liveness_passed=True)
        return self.scene.admit(self.scene.sighting(gate.id, face=shown, **facts)).because

    def by_pin(self, person_id: str) -> str | None:
        told = self.scene.sighting(PIN_GATE.id, card=self.cards[person_id], pin="4826")
        return self.scene.admit(told).because

    def jobs(self) -> int:
        return run_due(self.house.database, build_handlers(self.house))

    def round(self, name: str) -> None:
        duty = build_schedule(self.house)[name].duty
        assert duty is not None
        with self.unit(Actor("system:round", {SITE: EVERY_RIGHT})) as unit:
            duty(unit, {})

    def faces(self) -> int:
        with self.unit() as unit:
            return self.decider.count(unit)

    def house_count(self) -> int:
        """How many are enrolled by the server's own records."""
        with self.unit() as unit:
            return people.gallery_size(unit, self.house.recogniser)

    def missing(self, ids: Sequence[str]) -> list[str]:
        with self.unit() as unit:
            return self.decider.missing(unit, ids)


def new_site(folder: Path) -> str:
    """A server's folder; the key by which its decider knows it."""
    house = create_house(folder)
    try:
        return server_key(house)
    finally:
        house.close()


@contextmanager
def apart(folder: Path, **decider: Any) -> Iterator[tuple[Running, Site]]:
    """A site and its decider, both new."""
    running = Running.make(folder / "decider", new_site(folder / "site"), **decider).start()
    configure(folder / "site", running.settings(timeout_seconds=20.0))  # others use this machine too
    site = Site(folder / "site")
    try:
        yield running, site
    finally:
        site.house.close()
        running.kill()
