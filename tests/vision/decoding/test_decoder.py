import fcntl
import io
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from doorward.core.errors import Invalid, NotFound
from doorward.vision.decoding import Decoder, decode_image, load_image
from doorward.vision.decoding.wire import ANSWER, Reason

RED = (220, 20, 30)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as warm:
        yield warm


def encoded(kind: str, size: tuple[int, int] = (64, 48), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, RED).save(out, kind, **options)
    return out.getvalue()


def grey(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("L", (32, 32), value).save(out, "PNG")
    return out.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF", "PPM"])
def test_common_formats_become_blue_green_red(decoder: Decoder, kind: str) -> None:
    image = decoder.decode(encoded(kind))
    assert image.shape == (48, 64, 3)
    assert image.dtype == np.uint8
    assert np.abs(image.reshape(-1, 3).mean(0) - RED[::-1]).max() < 12


def test_a_photo_taken_sideways_stands_upright(decoder: Decoder) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert decoder.decode(encoded("JPEG", exif=turned.tobytes())).shape == (64, 48, 3)


def test_huge_photos_come_back_at_a_bounded_size(decoder: Decoder) -> None:
    image = decoder.decode(encoded("JPEG", (6400, 4800)))
    assert max(image.shape) <= 4096
    assert image.shape[1] * 3 == image.shape[0] * 4


def test_sixteen_bit_and_transparent_pictures_are_read(decoder: Decoder) -> None:
    deep, clear = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.full((8, 8), 65535, np.uint16)).save(deep, "PNG")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(clear, "PNG")
    assert decoder.decode(deep.getvalue()).min() == 255
    assert decoder.decode(clear.getvalue()).min() == 255


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"Dear Sir or Madam, this is a letter." * 50, "not an image"),
        (bytes(5000), "not an image"),
        (encoded("JPEG", (640, 480))[:900], "damaged or cut short"),
        (encoded("PNG", (640, 480))[:200], "damaged or cut short"),
        (png_that_claims(10_000, 10_000), "more than 40 megapixels"),
        (png_that_claims(2_000_000_000, 2), "more than 40 megapixels"),
        (png_that_claims(100, 100), "damaged or cut short"),
        (bytes((64 << 20) + 1), "larger than 64 MB"),
    ],
    ids=["empty", "text", "zeros", "cut-jpeg", "cut-png", "100-megapixel", "endless", "hollow", "heavy"],
)
def test_what_is_no_whole_image_is_refused_in_one_sentence(
    decoder: Decoder, data: bytes, sentence: str
) -> None:
    with pytest.raises(Invalid, match=sentence) as refusal:
        decoder.decode(data)
    assert str(refusal.value).endswith(".")
    assert decoder.decode(encoded("PNG")).shape == (48, 64, 3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(1, 2000),
    flips=st.lists(st.tuples(st.integers(0, 1999), st.integers(0, 255)), max_size=20),
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "GIF"]),
)
def test_damage_of_any_kind_gives_pixels_or_a_refusal(
    decoder: Decoder, cut: int, flips: list[tuple[int, int]], kind: str
) -> None:
    data = bytearray(encoded(kind)[:cut])
    for where, value in flips:
        data[where % len(data)] = value
    try:
        assert decoder.decode(bytes(data)).ndim == 3
    except Invalid as refusal:
        assert str(refusal)


def test_a_worker_that_dies_between_images_is_replaced(decoder: Decoder) -> None:
    decoder.decode(encoded("PNG"))
    before = decoder.worker_pid
    assert before
    os.kill(before, signal.SIGKILL)
    os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)
    assert decoder.decode(encoded("PNG")).shape == (48, 64, 3)
    assert decoder.worker_pid != before


def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    with Decoder(timeout_seconds=0.3) as decoder:
        decoder.decode(encoded("PNG"))
        stuck = decoder.worker_pid
        assert stuck
        os.kill(stuck, signal.SIGSTOP)
        with pytest.raises(Invalid, match="too long"):
            decoder.decode(encoded("PNG"))
        assert not Path(f"/proc/{stuck}").exists()
        assert decoder.decode(encoded("PNG")).shape == (48, 64, 3)


def test_a_worker_killed_in_the_middle_refuses_that_image_only() -> None:
    with Decoder() as decoder:
        decoder.decode(encoded("PNG"))
        pid = decoder.worker_pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        outcome: list[str] = []
        asking = threading.Thread(target=_ask, args=(decoder, bytes(1 << 20), outcome.append))
        asking.start()
        _wait_for_bytes(Path(f"/proc/{pid}/fd/0"))
        os.kill(pid, signal.SIGKILL)
        asking.join(20)
        assert outcome == ["The image made its decoder fail, so it was refused."]
        assert decoder.decode(encoded("PNG")).shape == (48, 64, 3)


def test_an_interrupted_image_never_stands_for_the_next_one() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    with Decoder() as decoder:
        decoder.decode(grey(10))
        pid = decoder.worker_pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        before = signal.signal(signal.SIGUSR1, interrupt)
        telling = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
        telling.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                decoder.decode(grey(90))
        finally:
            telling.join()
            signal.signal(signal.SIGUSR1, before)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        assert decoder.decode(grey(200))[5, 5, 1] == 200


def _ask(decoder: Decoder, data: bytes, tell: Callable[[str], None]) -> None:
    try:
        decoder.decode(data)
    except Invalid as refusal:
        tell(str(refusal))


def _wait_for_bytes(pipe: Path) -> None:
    watching = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    waiting = 0
    while not waiting:
        waiting = struct.unpack("i", fcntl.ioctl(watching, termios.FIONREAD, bytes(4)))[0]
    os.close(watching)


def test_the_worker_holds_no_secret_no_file_and_no_way_to_write_one(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_KEYS__PASSPHRASE", "correct horse")
    with Decoder() as fresh:
        fresh.decode(encoded("PNG"))
        process = Path(f"/proc/{fresh.worker_pid}")
        assert b"correct horse" not in (process / "environ").read_bytes()
        handles = sorted(str(handle.readlink()).split(":")[0] for handle in (process / "fd").iterdir())
        assert handles == ["/dev/null", "/dev/null", "pipe", "pipe"]
        limits = {
            line[:26].strip(): line[26:].split()[1] for line in (process / "limits").read_text().splitlines()
        }
        assert limits["Max file size"] == limits["Max core file size"] == limits["Max processes"] == "0"
        assert int(limits["Max address space"]) <= 2 << 30
        assert int(limits["Max open files"]) <= 16
        assert int(limits["Max cpu time"]) <= 120


@pytest.mark.parametrize(("height", "width"), [(1 << 31, 1 << 31), (0, 64), (64, 4097)])
def test_a_worker_in_strange_hands_does_not_choose_how_much_memory_is_taken(height: int, width: int) -> None:
    answer = ANSWER.pack(Reason.DECODED, False, height, width)
    lie = f"import sys; sys.stdout.buffer.write({answer!r}); sys.stdout.flush(); sys.stdin.read()"
    with Decoder() as decoder:
        decoder._worker = subprocess.Popen(
            [sys.executable, "-c", lie], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        for pipe in (decoder._worker.stdin, decoder._worker.stdout):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)
        with pytest.raises(Invalid, match="made its decoder fail"):
            decoder.decode(grey(10))
        assert decoder.decode(grey(200))[5, 5, 1] == 200


def test_threads_share_one_decoder(decoder: Decoder) -> None:
    colours = list(range(0, 240, 10))
    seen: dict[int, int] = {}

    def read(value: int) -> None:
        seen[value] = int(decoder.decode(grey(value))[5, 5, 1])

    threads = [threading.Thread(target=read, args=(value,)) for value in colours]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {value: value for value in colours}


def test_the_worker_ends_with_its_parent() -> None:
    code = (
        "from doorward.vision.decoding import Decoder; import os\n"
        "d = Decoder(); d.warm(); print(d.worker_pid, flush=True); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(ended.stdout)
    try:
        child = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([child], [], [], 20)[0]
    os.close(child)


def test_files_are_loaded_and_missing_ones_named_without_their_name(tmp_path: Path) -> None:
    (tmp_path / "somebody.jpg").write_bytes(encoded("JPEG"))
    assert load_image(tmp_path / "somebody.jpg").shape == decode_image(encoded("JPEG")).shape
    for path, family in ((tmp_path / "nobody.jpg", NotFound), (tmp_path, Invalid)):
        with pytest.raises(family) as refusal:
            load_image(path)
        assert path.name not in str(refusal.value)
