"""`doorward-edge check`: try each thing an agent's file names, and say which worked. Moves nothing."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from doorward.core.errors import DoorwardError, Unavailable
from doorward.core.wire import OfflinePolicy, TimeReply, Wants
from doorward.vision import weights
from doorward.vision.sources import open_source
from doorward_edge.clock import ClockWatch, SystemClock
from doorward_edge.config import BarrierTable, CameraTable, Config
from doorward_edge.drivers.relay import RelayBarrier
from doorward_edge.keys import server_key
from doorward_edge.post import Post
from doorward_edge.state import AgentState, require_own
from doorward_edge.trust import Trust
from doorward_edge.wiring import build_barrier, build_inputs, build_link, build_readers

WORKS = "works"
FRAMES_TRIED = 50
WANTED_WEIGHTS = {"face": ("face_detector.onnx", "face_recogniser.onnx"), "plate": ("text_detector.onnx",)}
CHALLENGE_WEIGHTS = ("face_mesh.onnx",)


class _Polled(Protocol):
    def poll(self) -> object: ...


def check_all(config: Config, key: Ed25519PrivateKey) -> Iterator[tuple[str, str]]:
    """Each part by name, with `works` or a sentence on what is amiss."""
    yield "state file", _tried(lambda: _check_state(config.state_file, key))
    yield from _server(config, key)
    yield "barrier", _tried(lambda: _check_barrier(config.barrier, config.agent_id))
    for number, reader in enumerate(build_readers(config), 1):
        yield f"reader {number}", _tried(lambda reader=reader: _poll(reader))  # type: ignore[misc]
    for number, inputs in enumerate(build_inputs(config), 1):
        yield f"inputs {number}", _tried(lambda inputs=inputs: _poll(inputs))  # type: ignore[misc]
    if config.camera is not None:
        camera = config.camera
        yield "models", _tried(lambda: _check_weights(camera))
        yield "camera", _tried(lambda: _check_camera(camera))


def _tried(deed: Callable[[], None]) -> str:
    try:
        deed()
    except DoorwardError as error:
        return str(error)
    return WORKS


def _server(config: Config, key: Ed25519PrivateKey) -> Iterator[tuple[str, str]]:
    """The line and its certificate; then whether this agent, its API key and its gate are known there."""
    clock = SystemClock()
    with closing(build_link(config)) as link, closing(AgentState(None, key)) as state:
        post = Post(
            orders=config.orders(),
            key=key,
            trust=Trust([server_key(text) for text in config.server_keys], state, clock),
            state=state,
            link=link,
            barrier=build_barrier(BarrierTable(kind="simulated"), clock, config.agent_id),
            clock=clock,
            watch=ClockWatch(clock),
        )
        yield "server", _tried(link.reach)
        for name, wants in (("agent at the server", Wants.TIME), ("policy of the gate", Wants.POLICY)):
            yield name, _tried(lambda wants=wants: _fetch(post, wants))  # type: ignore[misc]


def _fetch(post: Post, wants: Wants) -> None:
    answer = post.link.fetch(post.sign(post.request(wants)))
    if wants is Wants.TIME:
        post.open(TimeReply, answer)
    else:
        post.open(OfflinePolicy, answer)


def _poll(device: _Polled) -> None:
    device.poll()


def _check_state(path: Path, key: Ed25519PrivateKey) -> None:
    if not path.parent.is_dir():
        raise Unavailable("The folder of the state file is missing: make it.")
    require_own(path, key)


def _check_barrier(table: BarrierTable, agent_id: str) -> None:
    barrier = build_barrier(table, SystemClock(), agent_id)
    if isinstance(barrier, RelayBarrier):
        barrier.check()


def _check_weights(camera: CameraTable) -> None:
    for name in (*WANTED_WEIGHTS[camera.looks_for], *(CHALLENGE_WEIGHTS if camera.challenge else ())):
        weights.proven_path(name)


def _check_camera(camera: CameraTable) -> None:
    source = open_source(
        camera.source,
        frames_per_second=camera.frames_per_second,
        longest_side=camera.longest_side,
        real_time=True,
    )
    with source:
        for _, _frame in zip(range(FRAMES_TRIED), source, strict=False):
            return
    raise Unavailable("The camera shows no picture: check its address, its cable and its password.")
