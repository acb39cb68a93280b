"""A made-up site whose gates move by themselves, through the same front doors as a real one."""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from doorward.app.house import House
from doorward.app.local_agent import local_agent
from doorward.core.errors import DoorwardError
from doorward.core.ids import new_id
from doorward.gates.model import Direction, Factor, FactorRule, Gate, Grant, SiteRules, Zone
from doorward.gates.service import grant, set_piece, set_site_rules
from doorward.people.model import Basis
from doorward.people.service import (
    NewPerson,
    add_card,
    add_person,
    find_by_name,
    list_credentials,
    remove_credential,
    set_pin,
)
from doorward.platform.db import Unit
from doorward_edge.agent import Agent
from doorward_edge.drivers.simulated import SimulatedReader
from doorward_edge.ports import ReaderEvent, Shown

log = logging.getLogger("doorward.demo")

# Made up; any likeness is chance.
PEOPLE = ("Ana Lindqvist", "Bo Marchetti", "Chidi Vance", "Dana Okonjo", "Emre Halvorsen", "Fei Novak")
CARD_ONLY = ((Factor.CARD,),)
CARD_AND_PIN = ((Factor.CARD, Factor.PIN),)
BUSY_SECONDS = (1.5, 4.0)
STRANGER_EVERY = 6


class Demo:
    """Furnishes a site once, then lets its people come and go until stopped."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopped = threading.Event()
        self._agents: list[Agent] = []
        self._threads: list[threading.Thread] = []
        self._readers: dict[str, SimulatedReader] = {}
        self._chance = random.Random()  # noqa: S311  who comes next, nothing secret
        # Known to the simulated passers-by alone: cards are made anew at each start of a fresh demo.
        self._cards: list[str] = []

    @property
    def lines(self) -> Sequence[str]:
        """What to tell whoever starts it."""
        return (
            f"Made-up people pass its gates by themselves: doorward --folder {self._house.folder} events",
        )

    def furnish(self) -> None:
        """Zones, gates, people and grants, if the site has no gate yet; fresh cards at each start."""
        house = self._house
        with house.unit() as unit:
            if not house.post.plans.plan_of(unit).gates:
                set_site_rules(unit, SiteRules(time_zone="Europe/Helsinki"))
                yard = Zone(id=new_id("zone"), name="Yard", capacity=4)
                set_piece(unit, house.post, yard)
                set_piece(unit, house.post, _gate("Front door", to=yard.id))
                set_piece(unit, house.post, _gate("Way out", out_of=yard.id))
                set_piece(unit, house.post, _gate("Stockroom", factors=CARD_AND_PIN))
        with house.unit() as unit:
            for name in PEOPLE:
                self._employ(unit, name)

    def _employ(self, unit: Unit, name: str) -> None:
        """Somebody with a fresh card; whoever was made at an earlier start keeps grant and PIN."""
        vault = self._house.vault
        known = find_by_name(unit, vault, name)
        person_id = (
            known[0] if known else add_person(unit, vault, NewPerson(name=name, basis=Basis.CONTRACT)).id
        )
        card = "".join(self._chance.choices("0123456789ABCDEF", k=14))
        for old, kind in list_credentials(unit, person_id):
            if kind == "card":
                remove_credential(unit, person_id, old)
        add_card(unit, vault, person_id, card)
        self._cards.append(card)
        if not known:
            set_pin(unit, vault, person_id, "8361")
            grant(unit, self._house.post, Grant(id="", holder_id=person_id))

    def start(self) -> None:
        """Put an agent beside each gate, and people before them."""
        with self._house.unit() as unit:
            gates = list(self._house.post.plans.plan_of(unit).gates.values())
        for gate in gates:
            self._readers[gate.id] = SimulatedReader()
            self._run(partial(self._man, gate))
        self._run(partial(self._come_and_go, gates))

    def stop(self) -> None:
        """Everybody goes home."""
        self._stopped.set()
        for agent in self._agents:
            agent.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def _man(self, gate: Gate) -> None:
        """One agent; its memory belongs to the thread that opens it."""
        agent = local_agent(self._house, gate, None, readers=[self._readers[gate.id]], forever=True)
        self._agents.append(agent)
        try:
            for _ in agent.passages():
                continue
        except DoorwardError as error:
            log.error("a demo agent ended", extra={"gate": gate.id, "code": error.code})

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _come_and_go(self, gates: list[Gate]) -> None:
        count = 0
        while not self._stopped.wait(self._chance.uniform(*BUSY_SECONDS)):
            count += 1
            gate = self._chance.choice(gates)
            reader = self._readers[gate.id]
            stranger = count % STRANGER_EVERY == 0
            reader.show(ReaderEvent(Shown.CARD, "00000000" if stranger else self._chance.choice(self._cards)))
            if any(Factor.PIN in part for part in gate.factors):
                reader.show(ReaderEvent(Shown.PIN, "8361" if not stranger else "9274"))


def _gate(
    name: str, *, factors: FactorRule = CARD_ONLY, to: str | None = None, out_of: str | None = None
) -> Gate:
    return Gate(
        id=new_id("gate"),
        name=name,
        direction=Direction.OUT if out_of else Direction.IN,
        factors=factors,
        to_zone_id=to,
        from_zone_id=out_of,
    )
