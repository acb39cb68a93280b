"""One passage at the demo's site, by a real agent before a drawn scene."""

from collections import deque

from doorward.app.demo_cameras import FRAMES_A_SECOND, DrawnCamera, Scene
from doorward.app.house import House
from doorward.app.local_agent import Looking, local_agent
from doorward.gates.model import Gate
from doorward.vision.plates import Region
from doorward_edge.drivers.simulated import SimulatedReader
from doorward_edge.passage import Decision
from doorward_edge.ports import ReaderEvent, Shown


def gate_named(house: House, name: str) -> Gate:
    with house.unit() as unit:
        (gate,) = (one for one in house.post.plans.plan_of(unit).gates.values() if one.name == name)
    return gate


def pass_once(house: House, gate: Gate, *, scene: Scene | None = None, card: str | None = None) -> Decision:
    """What is decided of the first that comes; the agent is gone afterwards."""
    camera, reader = DrawnCamera(), SimulatedReader()
    looking = None
    if scene is not None:
        assert camera.show(scene)
        looking = Looking(source=camera.open, region=Region.EU, frames_per_second=FRAMES_A_SECOND)
    if card is not None:
        reader.show(ReaderEvent(Shown.CARD, card))
    agent = local_agent(house, gate, looking, readers=[reader], forever=True)
    passages = agent.passages()
    try:
        return next(passages)
    finally:
        agent.stop()
        camera.close()
        deque(passages, maxlen=0)  # to its end, so that the barrier is shut and the state let go
        agent.post.state.close()
