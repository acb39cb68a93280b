"""Chooses the drivers that an agent's file names, and puts them together."""

from collections.abc import Iterator

from doorward.core.errors import Unavailable
from doorward.vision.sources import open_source
from doorward_edge.agent import Agent, Watcher
from doorward_edge.clock import ClockWatch, SystemClock
from doorward_edge.config import BarrierTable, CameraTable, Config
from doorward_edge.drivers.http_link import HttpLink, Server
from doorward_edge.drivers.line_reader import LineReader
from doorward_edge.drivers.relay import RelayBarrier, RelayWords
from doorward_edge.drivers.simulated import SimulatedBarrier
from doorward_edge.keys import load_api_key, load_key, server_key
from doorward_edge.passage import Seen
from doorward_edge.ports import Barrier, Clock, Link, Prompt, Shown
from doorward_edge.post import Post
from doorward_edge.state import AgentState
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import FrameBudget
from doorward_edge.watcher.faces import FaceWatch, watch_faces
from doorward_edge.watcher.liveness import new_challenge_check
from doorward_edge.watcher.plates import VotingFollower, watch_plates


def build_agent(config: Config, *, prompt: Prompt) -> Agent:
    """The agent that a file describes; its errors say in one sentence what is amiss."""
    clock, statistics = SystemClock(), AgentStatistics()
    key, public = load_key(config.key_file), server_key(config.server.public_key)
    try:
        state = AgentState(config.state_file)
    except OSError as error:
        raise Unavailable("The state file cannot be made: check its folder.") from error
    post = Post(
        orders=config.orders(),
        key=key,
        server_key=public,
        state=state,
        link=build_link(config),
        barrier=build_barrier(config.barrier, clock),
        clock=clock,
        watch=ClockWatch(clock),
        statistics=statistics,
    )
    readers = [LineReader(table.device, Shown(table.kind), speed=table.speed) for table in config.readers]
    watch = build_watch(config.camera, statistics, prompt) if config.camera else None
    return Agent(post, watch=watch, readers=readers)


def build_link(config: Config) -> Link:
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


def build_barrier(table: BarrierTable, clock: Clock) -> Barrier:
    """The relay, or one made of nothing."""
    if table.kind == "simulated" or table.device is None:
        return SimulatedBarrier(clock)
    words = RelayWords(bytes.fromhex(table.on), bytes.fromhex(table.off))
    return RelayBarrier(table.device, words, speed=table.speed)


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
