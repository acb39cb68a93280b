"""An agent in this very process, for `doorward watch` without a server and for the demo site.

It signs, numbers and remembers like one that stands beside a gate; only the line to the server is short.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from doorward.app.house import House, data_folder, keys_folder
from doorward.core.permissions import EVERY_SITE, Actor, Permission
from doorward.core.wire import Direction, Kind, Signed
from doorward.gates.model import Agent as AgentRecord
from doorward.gates.model import Factor, Gate
from doorward.gates.service import (
    admit,
    answer_request,
    handovers_to,
    replay,
    report,
    report_door,
    set_piece,
    standing_at,
)
from doorward.vision.plates import Region
from doorward.vision.sources import Source, open_source
from doorward_edge.agent import Agent, Watcher
from doorward_edge.clock import ClockWatch, SystemClock
from doorward_edge.drivers.local_link import LocalLink
from doorward_edge.drivers.simulated import SimulatedBarrier
from doorward_edge.keys import load_key, make_key, public_text
from doorward_edge.passage import Seen
from doorward_edge.ports import Prompt, Reader
from doorward_edge.post import Orders, Post
from doorward_edge.state import AgentState
from doorward_edge.statistics import AgentStatistics
from doorward_edge.trust import Trust
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.faces import FaceWatch, watch_faces
from doorward_edge.watcher.liveness import new_challenge_check
from doorward_edge.watcher.plates import VotingFollower, watch_plates


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What to look at and how: a source by its name, or one that is opened by itself; frames a second."""

    source: str | Callable[[], Source]
    region: Region = Region.EU
    frames_per_second: float = 12.0
    real_time: bool = False
    challenge: bool = False
    prompt: Prompt | None = None


def local_agent(
    house: House,
    gate: Gate,
    looking: Looking | None,
    *,
    readers: Sequence[Reader] = (),
    forever: bool = False,
) -> Agent:
    """An agent for one gate of this house, registered with a key of its own at first use."""
    agent_id = f"agent_local_{gate.id.removeprefix('gate_')}"
    key_file = keys_folder(house.folder, house.settings) / f"{agent_id}.pem"
    states = data_folder(house.folder, house.settings) / "agents"
    states.mkdir(mode=0o700, exist_ok=True)
    if not key_file.exists():
        make_key(key_file)
    key = load_key(key_file)
    _register(house, gate, agent_id, public_text(key))
    clock, statistics = SystemClock(), AgentStatistics()
    state = AgentState(states / f"{agent_id}.state", key)
    post = Post(
        orders=Orders(
            agent_id=agent_id,
            gate_id=gate.id,
            direction=Direction(gate.direction.value),
            expects=(_expects(gate, looking),),
        ),
        key=key,
        trust=Trust([house.post.keys.signing.public_key()], state, clock),
        state=state,
        link=_link(house, agent_id),
        barrier=SimulatedBarrier(clock),
        clock=clock,
        watch=ClockWatch(clock),
        statistics=statistics,
    )
    watch = _watch(gate, looking, statistics) if looking else None
    return Agent(post, watch=watch, readers=readers, forever=forever)


def is_lane(gate: Gate) -> bool:
    """Whether a gate is for vehicles."""
    return any(Factor.PLATE in part for part in gate.factors)


def _expects(gate: Gate, looking: Looking | None) -> frozenset[str]:
    """With a camera, whatever the first alternative asks for; without one, what can be shown."""
    first = {factor.value for factor in gate.factors[0]}
    return frozenset(first if looking else first - {Factor.FACE.value, Factor.PLATE.value})


def _register(house: House, gate: Gate, agent_id: str, public_key: str) -> None:
    with house.unit() as unit:
        known = house.post.plans.plan_of(unit).agents.get(agent_id)
        if known is None or known.public_key != public_key:
            record = AgentRecord(
                id=agent_id, name=f"beside {gate.name}", public_key=public_key, gate_ids=(gate.id,)
            )
            set_piece(unit, house.post, record)


def _link(house: House, agent_id: str) -> LocalLink:
    actor = Actor(agent_id, {EVERY_SITE: frozenset({Permission.GATES_SIGHT})})

    def answer(signed: Signed) -> Signed:
        with house.unit(actor) as unit:
            return admit(unit, house.post, signed)

    def note(kind: Kind, signed: Signed) -> None:
        with house.unit(actor) as unit:
            if kind is Kind.OUTCOME:
                report(unit, house.post, signed)
            else:
                report_door(unit, house.post, signed)

    def take(entries: Sequence[Signed], restart: Signed | None) -> Signed:
        with house.unit(actor) as unit:
            return replay(unit, house.post, entries, restart=restart)

    def give(signed: Signed) -> Signed:
        with house.unit(actor) as unit:
            return answer_request(unit, house.post, signed)

    def order(signed: Signed) -> Signed:
        with house.unit(actor) as unit:
            return standing_at(unit, house.post, signed)

    def introduce(signed: Signed) -> Sequence[Signed]:
        with house.unit(actor) as unit:
            return handovers_to(unit, house.post, signed)

    return LocalLink(answer=answer, note=note, take=take, give=give, order=order, introduce=introduce)


def _opened(looking: Looking) -> Source:
    if not isinstance(looking.source, str):
        return looking.source()
    return open_source(
        looking.source, frames_per_second=looking.frames_per_second, real_time=looking.real_time
    )


def _watch(gate: Gate, looking: Looking, statistics: AgentStatistics) -> Watcher:
    def watch() -> Iterator[Seen | None]:
        source = _opened(looking)
        budget = FrameBudget(most_per_second=looking.frames_per_second, adapts=looking.real_time)
        if is_lane(gate):
            follower = VotingFollower(looking.region, frames_needed=gate.least_frames)
            return watch_plates(source, follower, budget=budget, statistics=statistics)
        how = FaceWatch(
            frames_needed=gate.least_frames,
            new_check=new_challenge_check if looking.challenge else None,
            prompt=looking.prompt,
        )
        return watch_faces(source, how, budget=budget, statistics=statistics)

    return watch
