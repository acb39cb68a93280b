"""How many decisions a second a gate's server takes, from signed sighting to committed verdict.

Card only, no vision, on the encrypted SQLite file with the people room, the vault and the audit log behind
it. Run: python -m benchmarks.decisions [people]
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from benchmarks._figures import Figure, tell
from doorward.app.tables import METADATA
from doorward.core import wire
from doorward.core.clock import system_clock
from doorward.core.encoding import to_text
from doorward.core.keys import ServerKeys
from doorward.core.permissions import system_actor
from doorward.gates import service
from doorward.gates.model import Agent, Factor, Gate, Grant, SiteRules, Zone
from doorward.gates.service.known import Known
from doorward.people.model import Basis
from doorward.people.service import NewPerson, add_card, add_person
from doorward.platform.db import Database
from doorward.platform.engine import encrypted_sqlite
from doorward.vault.drivers.custodians import FileCustodian
from doorward.vault.drivers.objects import FolderObjects
from doorward.vault.service import Vault
from tests.searching import recogniser_at

LIMIT = 1000
SITE = "site_bench"
ACTOR = system_actor("bench")
RUNS = 5
PER_RUN = 600
CLIENTS = 32


@dataclass(frozen=True)
class Bench:
    """A site with people who hold cards, one agent, and two gates."""

    database: Database
    post: service.Post
    key: Ed25519PrivateKey
    cards: list[str]
    numbers: Iterator[int]

    def sightings(self, gate_id: str, count: int) -> list[wire.Signed]:
        """Fresh signed sightings of people in turn."""
        now = system_clock()
        return [
            wire.seal_message(
                self.key,
                "agent_bench",
                wire.Sighting(
                    agent_id="agent_bench",
                    gate_id=gate_id,
                    sequence=number,
                    seen_at=now,
                    card=self.cards[number % len(self.cards)],
                ),
            )
            for number in itertools.islice(self.numbers, count)
        ]


@contextmanager
def bench(people: int) -> Iterator[Bench]:
    """Make the site in a folder of its own and clear it away."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        engine = encrypted_sqlite(folder / "doorward.db", bytes(range(32)))
        METADATA.create_all(engine)
        keys = folder / "keys"
        vault = Vault.create(keys, FileCustodian(keys / "root.key"), FolderObjects(folder / "objects"))
        server = ServerKeys.from_signing_key("server", Ed25519PrivateKey.generate())
        post = service.Post(identifier=Known(recogniser_at(vault, folder / "gallery")), keys=server)
        made = Bench(
            Database(engine, system_clock), post, Ed25519PrivateKey.generate(), [], itertools.count(1)
        )
        _fill(made, vault, people)
        yield made
        engine.dispose()


def _fill(made: Bench, vault: Vault, people: int) -> None:
    public = to_text(made.key.public_key().public_bytes_raw())
    plain = Gate(id="gate_plain", name="Door", factors=((Factor.CARD,),))
    counted = Gate(id="gate_zone", name="Hall", factors=((Factor.CARD,),), to_zone_id="zone_hall")
    pieces = (
        Zone(id="zone_hall", name="Hall"),
        plain,
        counted,
        Agent(id="agent_bench", name="Agent", public_key=public, gate_ids=(plain.id, counted.id)),
    )
    with made.database.unit(ACTOR, SITE) as unit:
        service.set_site_rules(unit, SiteRules())
        for piece in pieces:
            service.set_piece(unit, made.post, piece)
        for number in range(people):
            person = add_person(unit, vault, NewPerson(name=f"Person {number}", basis=Basis.CONTRACT))
            made.cards.append(f"{number:08d}")
            add_card(unit, vault, person.id, made.cards[-1])
            service.grant(unit, made.post, Grant(id="", holder_id=person.id))


def rates(made: Bench, gate_id: str, ask: Callable[[list[wire.Signed]], None]) -> list[float]:
    """Decisions a second in each run, the first left out."""
    found = []
    for _ in range(RUNS + 1):
        signed = made.sightings(gate_id, PER_RUN)
        begun = time.perf_counter()
        ask(signed)
        found.append(PER_RUN / (time.perf_counter() - begun))
    return found[1:]


def processor_micros(made: Bench) -> float:
    """Processor time of one decision, 32 to a commit: on a busy machine the steadier figure."""
    desk = service.Desk(made.database, made.post)
    signed = made.sightings("gate_plain", PER_RUN)
    begun = time.process_time()
    for start in range(0, PER_RUN, CLIENTS):
        desk.decide_together(ACTOR, SITE, signed[start : start + CLIENTS])
    return 1e6 * (time.process_time() - begun) / PER_RUN


def one_by_one(made: Bench) -> Callable[[list[wire.Signed]], None]:
    """One caller who waits for each answer: every decision has a commit, and a sync, of its own."""

    def ask(signed: list[wire.Signed]) -> None:
        for message in signed:
            with made.database.unit(ACTOR, SITE) as unit:
                service.admit(unit, made.post, message)

    return ask


def together(made: Bench) -> Callable[[list[wire.Signed]], None]:
    """Many gates at once through the desk: those who wait share a commit."""
    desk = service.Desk(made.database, made.post)

    def ask(signed: list[wire.Signed]) -> None:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda message: desk.admit(ACTOR, SITE, message), signed))

    return ask


def bare_commits(made: Bench) -> float:
    """What the disk and the cipher allow: one small row a commit."""
    with made.database.unit(ACTOR, SITE) as unit:
        unit.rows.execute(text("CREATE TABLE bench (a INTEGER PRIMARY KEY, b TEXT)"))
    begun = time.perf_counter()
    for _ in range(PER_RUN):
        with made.database.unit(ACTOR, SITE) as unit:
            unit.rows.execute(text("INSERT INTO bench (b) VALUES ('x')"))
    return PER_RUN / (time.perf_counter() - begun)


def shares(made: Bench) -> dict[str, float]:
    """Microseconds a decision spends verifying, on everything up to the commit, and in the commit."""
    spent = {"verify and read": 0.0, "decide and write": 0.0, "begin and commit (sync)": 0.0}
    for message in made.sightings("gate_plain", PER_RUN):
        begun = time.perf_counter()
        with made.database.unit(ACTOR, SITE) as unit:
            opened = time.perf_counter()
            heard = service.hear_sighting(unit, made.post, message)
            verified = time.perf_counter()
            service.decide_heard(unit, made.post, heard)
            decided = time.perf_counter()
        ended = time.perf_counter()
        spent["verify and read"] += verified - opened
        spent["decide and write"] += decided - verified
        spent["begin and commit (sync)"] += ended - decided + opened - begun
    return {name: 1e6 * seconds / PER_RUN for name, seconds in spent.items()}


def main(people: int) -> None:
    """Print medians against the limit."""
    with bench(people) as made:
        with made.database.unit(ACTOR, SITE) as unit:
            sync = unit.rows.scalar(text("PRAGMA synchronous"))
            journal = unit.rows.scalar(text("PRAGMA journal_mode"))
        print(f"SQLCipher file, journal_mode={journal}, synchronous={sync} (2 = FULL), {people} people")
        print(f"bare commits: {bare_commits(made):.0f}/s (the floor under one decision a commit)")
        for gate_id, label in (("gate_plain", "a plain door"), ("gate_zone", "a door that counts people")):
            for how, ask in (("one by one", one_by_one(made)), (f"{CLIENTS} at once", together(made))):
                found = rates(made, gate_id, ask)
                median = statistics.median(found)
                spread = f"{min(found):.0f}-{max(found):.0f}"
                print(f"{label}, {how}: {median:.0f}/s ({spread})")
                limit = f">= {LIMIT}/s" if gate_id == "gate_plain" and how != "one by one" else ""
                met = median >= LIMIT if limit else None
                tell(Figure(f"decisions, {label}, {how}", f"{median:.0f}/s", limit, met))
        processor = statistics.median(processor_micros(made) for _ in range(RUNS))
        print(f"processor time of a decision, {CLIENTS} to a commit: {processor:.0f} us")
        for name, micros in shares(made).items():
            print(f"  {name}: {micros:.0f} us")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
