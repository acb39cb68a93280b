"""Chooses the drivers that an agent's file names, and puts them together."""

import sys
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import Tampered, Unavailable
from doorward.vision.sources import open_source
from doorward_edge.agent import Agent, Watcher
from doorward_edge.clock import ClockWatch, SystemClock
from doorward_edge.config import BarrierTable, CameraTable, Config, InputsTable
from doorward_edge.drivers.contacts import Contact, FileInputs, LineInputs
from doorward_edge.drivers.http_link import HttpLink, Server
from doorward_edge.drivers.line_reader import LineReader
from doorward_edge.drivers.lines import Lines
from doorward_edge.drivers.relay import RelayBarrier, RelayWords
from doorward_edge.drivers.shared_end import SharedEnd
from doorward_edge.drivers.simulated import SimulatedBarrier
from doorward_edge.keys import load_api_key, load_key, server_key
from doorward_edge.passage import Seen
from doorward_edge.ports import Barrier, Clock, Inputs, Prompt, Shown
from doorward_edge.post import Post
from doorward_edge.state import AgentState, Foreign
from doorward_edge.statistics import AgentStatistics
from doorward_edge.trust import Trust
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.faces import FaceWatch, watch_faces
from doorward_edge.watcher.liveness import new_challenge_check
from doorward_edge.watcher.plates import VotingFollower, watch_plates

WITHOUT_STATE = "This gate works without its state file: whoever leaves may, all ways in stay shut."


def build_agent(config: Config, *, prompt: Prompt, new_state: bool = False) -> Agent:
    """The agent that a file describes; its errors say in one sentence what is amiss.

    `new_state` says that the key is new as well, so that a fresh state file may count from one.
    """
    clock, statistics = SystemClock(), AgentStatistics()
    key = load_key(config.key_file)
    pinned = [server_key(text) for text in config.server_keys]
    state = open_state(config, key)
    if new_state:
        state.go_on_from(1)
    post = Post(
        orders=config.orders(),
        key=key,
        trust=Trust(pinned, state, clock),
        state=state,
        link=build_link(config),
        barrier=build_barrier(config.barrier, clock, config.agent_id),
        clock=clock,
        watch=ClockWatch(clock),
        statistics=statistics,
    )
    watch = build_watch(config.camera, statistics, prompt) if config.camera else None
    return Agent(post, watch=watch, readers=build_readers(config), inputs=build_inputs(config))


def open_state(config: Config, key: Ed25519PrivateKey) -> AgentState:
    """The agent's memory. Nobody may be locked in for the want of one: where it may be all that lets somebody
    out, the agent works without. Then ways out, exit button, fire contact and orders open, and a way in stays
    shut until the file was mended and the agent restarted.
    """
    try:
        return AgentState(config.state_file, key)
    except (OSError, Unavailable, Tampered, Foreign) as error:
        if config.lets_out:
            sys.stderr.write(f"{WITHOUT_STATE} {error}\n")
            return AgentState(None, key)
        if isinstance(error, OSError):
            raise Unavailable("The state file cannot be made: check its folder.") from error
        raise


def build_readers(config: Config) -> list[LineReader]:
    """A driver for each reader."""
    return [
        LineReader(table.device, Shown(table.kind), speed=table.speed, reader_id=table.id)
        for table in config.readers
    ]


def build_inputs(config: Config) -> list[Inputs]:
    """A driver for each device with contacts."""
    return [_inputs(table) for table in config.inputs]


def _inputs(table: InputsTable) -> Inputs:
    contacts = [Contact(one.name, one.means, one.active_at) for one in table.contacts]
    if table.kind == "files":
        return FileInputs(table.device, contacts)
    return LineInputs(Lines(table.device, speed=table.speed, hello=bytes.fromhex(table.hello)), contacts)


def build_link(config: Config) -> HttpLink:
    """HTTPS to the one server whose certificate is on file."""
    table = config.server
    return HttpLink(
        Server(
            url=table.url,
            site_id=table.site_id,
            certificate=table.certificate,
            api_key=load_api_key(table.api_key_file) if table.api_key_file else None,
            connect_seconds=table.connect_seconds,
            answer_seconds=table.answer_seconds,
        )
    )


def build_barrier(table: BarrierTable, clock: Clock, agent_id: str) -> Barrier:
    """The relay, or one made of nothing."""
    if table.kind == "simulated" or table.device is None:
        return SimulatedBarrier(clock)
    words = RelayWords(bytes.fromhex(table.on), bytes.fromhex(table.off))
    shared = SharedEnd(table.shared_file, agent_id) if table.shared_file else None
    return RelayBarrier(table.device, words, speed=table.speed, shared=shared)


def build_watch(camera: CameraTable, statistics: AgentStatistics, prompt: Prompt) -> Watcher:
    """What opens the camera, each time it must be opened."""

    def watch() -> Iterator[Seen | None]:
        source = open_source(
            camera.source,
            frames_per_second=camera.frames_per_second,
            longest_side=camera.longest_side,
            real_time=True,
        )
        budget = FrameBudget(most_per_second=camera.frames_per_second, share=camera.processor_share)
        if camera.looks_for == "plate":
            follower = VotingFollower(camera.region, frames_needed=camera.frames_needed)
            return watch_plates(source, follower, budget=budget, statistics=statistics)
        how = FaceWatch(
            frames_needed=camera.frames_needed,
            again_seconds=camera.again_seconds,
            new_check=new_challenge_check if camera.challenge else None,
            prompt=prompt,
        )
        return watch_faces(source, how, budget=budget, statistics=statistics)

    return watch
