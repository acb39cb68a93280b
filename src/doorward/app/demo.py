"""A made-up site whose gates move by themselves, through the same front doors as a real one."""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from functools import partial

from doorward.app.demo_cameras import FRAMES_A_SECOND, DrawnCamera, car_scene, person_scene
from doorward.app.demo_site import CARS, EMPLOYEES, IMPOSTOR, PIN, STRANGE_CAR, Employee, Staffed, furnish
from doorward.app.house import House
from doorward.app.local_agent import Looking, local_agent
from doorward.core.errors import DoorwardError
from doorward.gates.model import Factor, Gate
from doorward.vision.plates import Region
from doorward_edge.agent import Agent
from doorward_edge.drivers.simulated import SimulatedReader
from doorward_edge.ports import ReaderEvent, Shown

log = logging.getLogger("doorward.demo")

BUSY_SECONDS = (1.5, 4.0)
STRANGER_EVERY = 6
UNKNOWN_CARD = "00000000"
WRONG_PIN = "9274"
SEEN = frozenset({Factor.FACE, Factor.PLATE})


class Demo:
    """Furnishes a site once, then lets its people come and go until stopped."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopped = threading.Event()
        self._agents: list[Agent] = []
        self._threads: list[threading.Thread] = []
        self._readers: dict[str, SimulatedReader] = {}
        self._cameras: dict[str, DrawnCamera] = {}
        self._chance = random.Random()  # noqa: S311  who comes next, nothing secret
        self._staffed = Staffed()

    @property
    def lines(self) -> Sequence[str]:
        """What to tell whoever starts it."""
        return (
            f"Made-up people and cars pass its gates by themselves: "
            f"doorward --folder {self._house.folder} events",
        )

    def furnish(self) -> None:
        """A site of made-up people, if there is none yet; fresh cards at each start."""
        self._staffed = furnish(self._house)

    def start(self) -> None:
        """Put an agent beside each gate, and people before them."""
        with self._house.unit() as unit:
            gates = list(self._house.post.plans.plan_of(unit).gates.values())
        for gate in gates:
            self._readers[gate.id] = SimulatedReader()
            if _looks(gate):
                self._cameras[gate.id] = DrawnCamera()
            self._run(partial(self._man, gate))
        self._run(partial(self._come_and_go, gates))

    def stop(self) -> None:
        """Everybody goes home."""
        self._stopped.set()
        for camera in self._cameras.values():
            camera.close()
        for agent in self._agents:
            agent.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def _man(self, gate: Gate) -> None:
        """One agent; its memory belongs to the thread that opens it."""
        camera = self._cameras.get(gate.id)
        looking = _looking(camera) if camera else None
        agent = local_agent(self._house, gate, looking, readers=[self._readers[gate.id]], forever=True)
        self._agents.append(agent)
        if self._stopped.is_set():  # told to stop while the agent was still being made
            return
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
            self._come(self._chance.choice(gates), count, stranger=count % STRANGER_EVERY == 0)

    def _come(self, gate: Gate, count: int, *, stranger: bool) -> None:
        """Somebody, or a car, comes to a gate with whatever it asks for."""
        asked = {factor for part in gate.factors for factor in part}
        camera = self._cameras.get(gate.id)
        if camera is not None and Factor.PLATE in asked:
            camera.show(car_scene(STRANGE_CAR if stranger else self._chance.choice(CARS), count))
        elif camera is not None:
            self._come_to_look(gate, camera, count, stranger=stranger)
        else:
            card = UNKNOWN_CARD if stranger else self._card_of(self._chance.choice(EMPLOYEES))
            self._show(gate, Shown.CARD, card)
            if Factor.PIN in asked:
                self._show(gate, Shown.PIN, WRONG_PIN if stranger else PIN)

    def _come_to_look(self, gate: Gate, camera: DrawnCamera, count: int, *, stranger: bool) -> None:
        """A card and the face of its holder; a stranger comes with the first one's card."""
        holders = [one for one in EMPLOYEES if one.drawing is not None]
        holder = holders[0] if stranger else self._chance.choice(holders)
        drawing = IMPOSTOR.drawing if stranger else holder.drawing
        if drawing is not None and camera.show(person_scene(drawing, count)):
            self._show(gate, Shown.CARD, self._card_of(holder))

    def _card_of(self, one: Employee) -> str:
        return self._staffed.cards[one]

    def _show(self, gate: Gate, kind: Shown, value: str) -> None:
        self._readers[gate.id].show(ReaderEvent(kind, value))


def _looking(camera: DrawnCamera) -> Looking:
    return Looking(source=camera.open, region=Region.EU, frames_per_second=FRAMES_A_SECOND, real_time=True)


def _looks(gate: Gate) -> bool:
    return any(SEEN.intersection(part) for part in gate.factors)
