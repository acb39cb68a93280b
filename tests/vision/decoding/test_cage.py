"""Attacks tried by code that has taken over a caged decoder."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from doorward.vision.decoding import Decoder, cage, calls, kernel
from doorward.vision.sources import open_source
from doorward.vision.sources.video import Video

from ..sources.clips import make_clip

ONE_GREY_PIXEL = b"P5 1 1 255\n\x80"
NEEDS_FILTERS = pytest.mark.skipif(
    not (calls.is_known_machine() and kernel.has_filters()), reason="this kernel has no system call filters"
)
NEEDS_LANDLOCK = pytest.mark.skipif(not kernel.landlock_version(), reason="this kernel has no Landlock")
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has an account to give up")

# One deed a line; each is tried in the cage, and its name is told when it succeeds.
DEEDS = """
import ctypes, json, os, signal, socket, sys, threading
from doorward.vision.decoding import cage
from doorward.vision.decoding.kernel import Opened
from doorward.vision.decoding.worker import LIMITS
from doorward.vision.sources import worker as video
from doorward.vision.sources.reach import reach_of
from doorward.vision.sources.wire import Order
key, mode, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
parent = os.getppid()
libc = ctypes.CDLL(None, use_errno=True)
held = ctypes.create_string_buffer(8)
class Piece(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))
here = Piece(ctypes.addressof(held), 8)
def must(answer):
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
def connect(family, where):
    with socket.socket(family) as line:
        line.settimeout(5)
        line.connect(where)
def start_thread():
    threading.Thread(target=int).start()
def begin_process():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
deeds = {
    "read a key": lambda: open(key, "rb").read(),
    "list a folder": lambda: os.listdir(os.path.dirname(key)),
    "write a file": lambda: os.open(key + ".new", os.O_CREAT | os.O_WRONLY),
    "remove a file": lambda: os.unlink(key),
    "touch a file": lambda: os.utime(key),
    "mark a file": lambda: os.setxattr(key, "user.mark", b"1"),
    "watch a file": lambda: must(libc.inotify_add_watch(libc.inotify_init1(0), key.encode(), 2)),
    "open its parent's memory": lambda: open(f"/proc/{parent}/mem", "rb"),
    "copy its parent's memory": lambda: must(
        libc.process_vm_readv(parent, ctypes.byref(here), 1, ctypes.byref(here), 1, 0)
    ),
    "trace its parent": lambda: must(libc.ptrace(0x4206, parent, 0, 0)),
    "end another process": lambda: os.kill(parent, 0),
    "limit its parent": lambda: must(libc.prlimit(parent, 4, None, ctypes.byref(here))),
    "connect": lambda: connect(socket.AF_INET, ("127.0.0.1", port)),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "open a raw socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    "run a program": lambda: os.posix_spawn(sys.executable, [sys.executable, "-c", "0"], {}),
    "begin a process": begin_process,
    "begin a thread": start_thread,
    "become root": lambda: os.setuid(0) if os.getuid() else 1 / 0,
}
order = {"image": None, "video": Order("video", key, None, 64, False, 1.0),
         "rtsp": Order("rtsp", f"rtsp://localhost:{port}/x", None, 64, False, 1.0)}[mode]
if order is None:
    cage.enter(LIMITS)
else:
    cage.enter(video.LIMITS, reach_of(order).openings)
done = []
for name, deed in deeds.items():
    try:
        deed()
    except (OSError, RuntimeError, ZeroDivisionError):
        continue
    done.append(name)
os.write(1, json.dumps(done).encode())
"""


def succeeded(key: Path, mode: str, port: int = 1) -> set[str]:
    """Which deeds succeed inside the cage of a decoder of that kind."""
    asked = [sys.executable, "-c", DEEDS, str(key), mode, str(port)]
    alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    answer = subprocess.run(asked, capture_output=True, check=True, cwd="/", env=alone)
    return set(json.loads(answer.stdout))


@pytest.fixture
def key() -> Iterator[Path]:
    """A key that every account may read and change: it is not the account that keeps code from it."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        made = Path(folder, "root.key")
        made.write_bytes(bytes(32))
        made.chmod(0o666)
        yield made


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@NEEDS_FILTERS
def test_code_in_the_image_decoder_reaches_no_file_no_network_and_no_other_process(
    key: Path, listening: int
) -> None:
    assert succeeded(key, "image", listening) == set()
    assert key.exists()


@NEEDS_FILTERS
def test_code_in_the_video_decoder_has_threads_and_nothing_else(key: Path, listening: int) -> None:
    assert succeeded(key, "video", listening) == {"begin a thread"}


@NEEDS_FILTERS
@NEEDS_LANDLOCK
def test_code_in_the_decoder_of_a_network_camera_has_the_network_and_no_files(
    key: Path, listening: int
) -> None:
    assert succeeded(key, "rtsp", listening) == {"begin a thread", "connect"}


@NEEDS_LANDLOCK
def test_landlock_alone_keeps_files_out_of_reach(key: Path) -> None:
    code = (
        "import sys; from doorward.vision.decoding import kernel\n"
        "kernel.forbid_new_privileges(); kernel.close_files([], keeps_network=False)\n"
        "try: open(sys.argv[1]); print('read')\n"
        "except PermissionError: print('refused')"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(key)], capture_output=True, text=True, check=True, cwd="/"
    )
    assert told.stdout == "refused\n"


def status_of(pid: int | None) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@NEEDS_FILTERS
def test_the_decoders_that_run_are_behind_these_walls(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    with Decoder() as decoder, open_source(str(clip), frames_per_second=None) as video:
        assert isinstance(video, Video)
        decoder.decode(ONE_GREY_PIXEL)
        next(video)
        for pid in (decoder.worker_pid, video.decoder_pid):
            status = status_of(pid)
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
            assert int(status["CapEff"], 16) == 0


@NEEDS_ROOT
def test_roots_decoder_is_nobody() -> None:
    with Decoder() as decoder:
        decoder.decode(ONE_GREY_PIXEL)
        status = status_of(decoder.worker_pid)
    assert status["Uid"].split() == status["Gid"].split() == [str(cage.NOBODY)] * 4
    assert status["Groups"] == ""


def test_no_wall_is_built_around_one_of_several_threads() -> None:
    code = (
        "import threading; from doorward.vision.decoding import cage, worker\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "try: cage.enter(worker.LIMITS)\n"
        "except OSError: print('refused')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert told.stdout == "refused\n"


def test_what_this_machine_cannot_wall_off_is_said_in_words() -> None:
    walls = (cage.NO_LANDLOCK, kernel.landlock_version()), (cage.NO_FILTERS, kernel.has_filters())
    assert all((words in cage.missing_walls()) is not bool(present) for words, present in walls)
