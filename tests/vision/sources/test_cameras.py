import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from aio_rtsp_toolkit.server import RtspServer  # type: ignore[import-untyped]

from doorward.core.errors import Unavailable
from doorward.vision.sources import Patience, open_source, parse_source
from doorward.vision.sources.pace import Pace
from doorward.vision.sources.video import Video
from tests.vision.sources.clips import make_clip

PASSWORD = "mellon-9f3c"
SHORT = Patience(stall_seconds=2.0, give_up_seconds=1.5)


class Silent:
    """A logger for the peer that says nothing."""

    def __getattr__(self, name: str) -> object:
        return lambda *args, **facts: None


@dataclass
class Peer:
    """An RTSP camera on loopback that plays the clips of a folder, once each."""

    port: int
    loop: asyncio.AbstractEventLoop
    server: RtspServer
    folder: Path

    def unplug(self) -> None:
        """Gone, with every connection."""
        asyncio.run_coroutine_threadsafe(_stop(self.server), self.loop).result(10)

    def plug_in(self) -> None:
        """Back at the same address."""
        self.server = RtspServer(directory=str(self.folder), host="127.0.0.1", port=self.port)
        self.server.logger = Silent()
        asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(10)

    def url(self, name: str) -> str:
        return f"rtsp://watcher:{PASSWORD}@127.0.0.1:{self.port}/{name}"


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Peer]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    make_clip(tmp_path / "clip.mp4", codec="libx264", frames=50)
    server = RtspServer(directory=str(tmp_path), host="127.0.0.1", port=port)
    server.logger = Silent()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
    peer = Peer(port, loop, server, tmp_path)
    yield peer
    peer.unplug()
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


async def _stop(server: RtspServer) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await server.close()


def test_a_network_camera_yields_frames_and_its_password_stays_off_the_process_list(camera: Peer) -> None:
    with open_source(camera.url("clip.mp4"), frames_per_second=5, patience=SHORT) as source:
        assert isinstance(source, Video)
        frames = [next(source) for _ in range(4)]
        process = Path(f"/proc/{source.decoder_pid}")
        told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        assert PASSWORD.encode() not in told
        assert PASSWORD not in repr(source)
    assert all(frame.image.shape == (96, 160, 3) for frame in frames)
    assert frames[-1].at_seconds - frames[0].at_seconds > 0.3
    assert not frames[0].is_still


def test_a_camera_that_ends_is_opened_again(camera: Peer) -> None:
    patient = Patience(stall_seconds=2.0, give_up_seconds=20.0)
    with open_source(camera.url("clip.mp4"), frames_per_second=None, patience=patient) as source:
        while source.statistics.reconnects == 0:
            next(source)
        assert source.statistics.decoded >= 25
        following = next(source)
    assert following.index > 25


def test_a_camera_that_goes_away_in_the_middle_and_comes_back_is_seen_again(
    camera: Peer, tmp_path: Path
) -> None:
    make_clip(tmp_path / "long.mp4", codec="libx264", frames=500)
    patient = Patience(stall_seconds=2.0, give_up_seconds=20.0)
    with open_source(camera.url("long.mp4"), frames_per_second=None, patience=patient) as source:
        for _ in range(5):
            next(source)
        camera.unplug()
        while source.statistics.reconnects == 0:
            time.sleep(0.02)
        seen = source.statistics.decoded
        camera.plug_in()
        while source.statistics.decoded <= seen:
            next(source)
    assert 5 <= seen < 500


def test_a_camera_that_speaks_garbage_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as babbler:
        threading.Thread(target=_babble, args=(babbler,), daemon=True).start()
        url = f"rtsp://127.0.0.1:{babbler.getsockname()[1]}/x"
        with (
            open_source(url, frames_per_second=None, patience=SHORT) as source,
            pytest.raises(Unavailable, match="no picture"),
        ):
            next(source)


def _babble(babbler: socket.socket) -> None:
    with suppress(OSError):
        while True:
            visitor, _ = babbler.accept()
            with visitor, suppress(OSError):
                visitor.recv(4096)
                visitor.sendall(bytes(range(256)) * 64)


def test_a_camera_that_is_not_there_is_said_without_its_password() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"rtsp://watcher:{PASSWORD}@127.0.0.1:{nobody.getsockname()[1]}/x"
        with (
            open_source(url, frames_per_second=None, patience=SHORT) as source,
            pytest.raises(Unavailable, match="no picture") as trouble,
        ):
            next(source)
    assert PASSWORD not in str(trouble.value) + repr(trouble.value.facts)


def test_a_camera_that_refuses_the_password_is_not_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gatekeeper:
        asked: list[bytes] = []
        answering = threading.Thread(target=_refuse, args=(gatekeeper, asked), daemon=True)
        answering.start()
        url = f"rtsp://watcher:{PASSWORD}@127.0.0.1:{gatekeeper.getsockname()[1]}/x"
        with (
            open_source(url, frames_per_second=None) as source,
            pytest.raises(Unavailable, match="refused the user name or the password") as trouble,
        ):
            next(source)
        assert source.statistics.reconnects == 0
    assert PASSWORD not in str(trouble.value)
    assert asked


def _refuse(gatekeeper: socket.socket, asked: list[bytes]) -> None:
    try:
        while True:
            visitor, _ = gatekeeper.accept()
            with visitor:
                while request := visitor.recv(4096):
                    asked.append(request)
                    number = request.split(b"CSeq: ")[1].split(b"\r\n")[0]
                    realm = b'WWW-Authenticate: Basic realm="camera"\r\n'
                    visitor.sendall(
                        b"RTSP/1.0 401 Unauthorized\r\nCSeq: " + number + b"\r\n" + realm + b"\r\n"
                    )
    except OSError:
        return


def test_a_camera_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"rtsp://127.0.0.1:{mute.getsockname()[1]}/x"
        patience = Patience(stall_seconds=0.5, give_up_seconds=1.0)
        with (
            open_source(url, frames_per_second=None, patience=patience) as source,
            pytest.raises(Unavailable, match="no picture for 1 seconds"),
        ):
            next(source)


def test_a_parsed_source_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(parse_source(f"rtsp://watcher:{PASSWORD}@cam.example/"))


def test_playing_late_skips_and_counts() -> None:
    now = [0.0]
    slept: list[float] = []
    pace = Pace(10.0, keeps_time=True, monotonic=lambda: now[0], sleep=slept.append)
    assert pace.is_due(pace.place(7.0, 0))
    assert not pace.is_due(pace.place(7.04, 1))
    assert pace.is_due(pace.place(7.12, 2))
    now[0] = 5.0
    assert not pace.is_due(pace.place(7.20, 3))
    assert pace.late == 1
    now[0] = 0.25
    assert pace.is_due(pace.place(7.32, 4))
    assert slept == pytest.approx([0.12, 0.07])


def test_a_live_frame_is_placed_when_it_comes_whatever_the_stream_says() -> None:
    now = [100.0]
    pace = Pace(10.0, keeps_time=False, is_live=True, monotonic=lambda: now[0])
    assert pace.place(7.0, 0) == 0.0
    now[0] = 100.5
    assert pace.place(70.0, 1) == 0.5


def test_a_jump_of_the_stream_clock_does_not_bring_a_burst_of_frames() -> None:
    pace = Pace(10.0, keeps_time=False)
    pace.is_due(pace.place(0.0, 0))
    assert pace.is_due(pace.place(3600.0, 1))
    burst = [pace.is_due(pace.place(3600.0 + step * 0.01, 2 + step)) for step in range(1, 20)]
    assert sum(burst) <= 3
