import os
import signal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from doorward.core.errors import DoorwardError, Invalid, NotFound, Unavailable
from doorward.vision.sources import SourceStatistics, open_source
from doorward.vision.sources.child import Child, Ended
from doorward.vision.sources.video import Patience, Video
from doorward.vision.sources.wire import RECORD, Kind, Order
from tests.vision.sources.clips import make_clip


def test_a_photo_is_one_still_frame(tmp_path: Path) -> None:
    Image.new("RGB", (2000, 1000), "blue").save(tmp_path / "one.jpg")
    with open_source(str(tmp_path / "one.jpg"), frames_per_second=None) as source:
        [frame] = list(source)
    assert (frame.image.shape, frame.index, frame.is_still) == ((640, 1280, 3), 0, True)
    assert source.statistics == SourceStatistics(decoded=1, delivered=1)


def test_a_folder_yields_its_photos_by_name_and_passes_over_damaged_ones(tmp_path: Path) -> None:
    for name, value in (("b.png", 20), ("a.png", 10), ("d.png", 40), (".hidden.png", 99)):
        Image.new("L", (32, 32), value).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("nor this")
    with open_source(str(tmp_path), frames_per_second=2) as source:
        frames = list(source)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [10, 20, 40]
    assert [frame.at_seconds for frame in frames] == [0.0, 0.5, 1.5]
    assert source.statistics == SourceStatistics(decoded=3, delivered=3, unreadable=1)


def test_a_photo_that_vanishes_from_a_folder_is_passed_over_and_a_lone_one_is_missed(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("L", (32, 32), 50).save(tmp_path / name)
    with (
        open_source(str(tmp_path), frames_per_second=None) as source,
        open_source(str(tmp_path / "b.png"), frames_per_second=None) as lone,
    ):
        (tmp_path / "b.png").unlink()
        assert [frame.index for frame in source] == [0, 2]
        with pytest.raises(NotFound):
            next(lone)
    assert source.statistics == SourceStatistics(decoded=2, delivered=2, unreadable=1)


@pytest.mark.parametrize("codec", ["mpeg4", "libx264"])
def test_every_frame_of_a_video_comes_in_order(tmp_path: Path, codec: str) -> None:
    with open_source(str(make_clip(tmp_path / "clip.mp4", codec=codec)), frames_per_second=None) as source:
        frames = list(source)
    greys = [int(frame.image[80, 80, 0]) for frame in frames]
    assert all(abs(grey - 4 * number) < 16 for number, grey in enumerate(greys))
    assert [frame.index for frame in frames] == list(range(50))
    assert frames[25].at_seconds == pytest.approx(1.0, abs=0.01)
    assert source.statistics == SourceStatistics(decoded=50, delivered=50)


@pytest.mark.parametrize(("rate", "expected"), [(25.0, 50), (100.0, 50), (10.0, 20), (5.0, 10), (0.5, 1)])
def test_a_chosen_rate_passes_over_the_frames_between(tmp_path: Path, rate: float, expected: int) -> None:
    clip = make_clip(tmp_path / "clip.mkv")
    with open_source(str(clip), frames_per_second=rate, longest_side=64) as source:
        frames = list(source)
    assert len(frames) == expected
    assert all(frame.image.shape == (38, 64, 3) for frame in frames)
    assert all(later.at_seconds > earlier.at_seconds for earlier, later in pairwise(frames))
    assert source.statistics == SourceStatistics(decoded=50, delivered=expected)


def test_a_video_filmed_upright_stands_upright(tmp_path: Path) -> None:
    """Rotation says by how many degrees counterclockwise a frame must turn to be shown."""
    clip = make_clip(tmp_path / "phone.mp4", frames=2, rotation=90)
    with open_source(str(clip), frames_per_second=None) as source:
        image = next(source).image
    assert image.shape == (160, 96, 3)
    red = image[:, :, 2].astype(int) - image[:, :, 0]
    assert red[:, :20].mean() > 200
    assert red[:, -20:].mean() < 50


def test_a_file_waits_for_a_slow_consumer_and_drops_nothing(tmp_path: Path) -> None:
    with open_source(str(make_clip(tmp_path / "clip.avi")), frames_per_second=None) as source:
        first = next(source)
        assert source.statistics.decoded < 50
        rest = list(source)
    assert len([first, *rest]) == 50
    assert source.statistics.dropped == 0


def test_real_time_drops_the_oldest_frames_of_a_slow_consumer_and_says_how_many(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=20)
    with open_source(str(clip), frames_per_second=None, real_time=True) as source:
        first = next(source)
        while source.statistics.decoded < 20:
            os.sched_yield()
        rest = list(source)
    statistics = source.statistics
    assert (first.index, rest[-1].index) == (0, 19 - (20 - statistics.delivered - statistics.dropped))
    assert statistics.dropped >= 15
    assert statistics.delivered == 1 + len(rest)
    assert statistics.delivered + statistics.dropped == statistics.decoded == 20


def test_a_video_cut_short_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mkv", noisy=True).read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) // 2])
    with open_source(str(tmp_path / "cut.mkv"), frames_per_second=None) as source:
        frames = list(source)
    assert 15 < len(frames) < 35


@pytest.mark.parametrize(
    "name", ["letter.mp4", "zeros.mkv", "noise.avi", "empty.mp4", "head.mp4", "list.mp4"]
)
def test_what_is_no_video_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    clip = make_clip(tmp_path / "real.mp4")
    contents = {
        "letter.mp4": b"Dear Sir or Madam,\n" * 400,
        "zeros.mkv": bytes(20_000),
        "noise.avi": np.random.default_rng(3).bytes(20_000),
        "empty.mp4": b"",
        "head.mp4": clip.read_bytes()[:1500],
        "list.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{clip}\n#EXT-X-ENDLIST\n".encode(),
    }
    (tmp_path / name).write_bytes(contents[name])
    with (
        open_source(str(tmp_path / name), frames_per_second=None) as source,
        pytest.raises(Invalid) as refusal,
    ):
        next(source)
    assert name not in str(refusal.value)


def test_a_video_of_more_than_40_megapixels_is_refused(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "huge.mkv", codec="libx264", frames=1, size=(8192, 5120))
    with open_source(str(clip), frames_per_second=None) as source, pytest.raises(Invalid, match="40 mega"):
        next(source)
    assert source.statistics == SourceStatistics(decoded=1, unreadable=1)


@pytest.mark.parametrize(("height", "width"), [(1 << 31, 1 << 31), (0, 64), (64, 65)])
def test_a_decoder_in_strange_hands_does_not_choose_how_much_memory_is_taken(height: int, width: int) -> None:
    child = Child(Order("video", "/nowhere", None, 64, False, 5.0))
    child._reading, telling = os.pipe()
    os.set_blocking(child._reading, False)
    os.write(telling, RECORD.pack(Kind.FRAME, 1, 0, 0, 0.0, height, width) + bytes(1000))
    os.close(telling)
    try:
        assert child.read() is Ended.STOPPED
    finally:
        child.collect()
        os.close(child._reading)


def test_a_decoder_killed_in_the_middle_is_said_and_a_new_one_plays_on(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=400)
    with open_source(str(clip), frames_per_second=None) as source:
        assert isinstance(source, Video)
        next(source)
        pid = source.decoder_pid
        assert pid
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="stopped in the middle"):
            list(source)
    with open_source(str(clip), frames_per_second=None) as source:
        assert len(list(source)) == 400


def test_a_decoder_that_hangs_is_given_up_and_killed(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mkv", frames=400)
    patience = Patience(stall_seconds=0.5, give_up_seconds=1.0)
    with open_source(str(clip), frames_per_second=None, patience=patience) as source:
        assert isinstance(source, Video)
        next(source)
        pid = source.decoder_pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(Unavailable, match="no picture came"):
            list(source)
    assert not Path(f"/proc/{pid}").exists()


def test_closing_ends_the_decoder_and_the_iteration(tmp_path: Path) -> None:
    source = open_source(str(make_clip(tmp_path / "clip.mkv", frames=400)), frames_per_second=None)
    assert isinstance(source, Video)
    next(source)
    pid = source.decoder_pid
    source.close()
    source.close()
    assert list(source) == []
    assert not Path(f"/proc/{pid}").exists()


def test_a_closed_video_gives_no_frame_that_was_still_on_its_way(tmp_path: Path) -> None:
    source = open_source(str(make_clip(tmp_path / "clip.mkv", frames=400)), frames_per_second=None)
    next(source)
    while source.statistics.decoded < 4:  # two wait in the queue, one before it
        os.sched_yield()
    source.close()
    assert list(source) == []


@pytest.mark.parametrize(("rate", "expected"), [(None, 50), (5.0, 10)])
def test_a_video_without_a_clock_is_taken_for_25_frames_a_second(
    tmp_path: Path, rate: float | None, expected: int
) -> None:
    clip = make_clip(tmp_path / "clip.h264", codec="libx264")
    with open_source(str(clip), frames_per_second=rate) as source:
        frames = list(source)
    assert len(frames) == expected
    assert frames[-1].at_seconds == pytest.approx(49 / 25 if rate is None else 1.8)


def test_the_decoder_holds_no_secret_and_may_write_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOORWARD_KEYS__PASSPHRASE", "correct horse")
    with open_source(str(make_clip(tmp_path / "x.mkv", frames=400)), frames_per_second=None) as source:
        assert isinstance(source, Video)
        next(source)
        process = Path(f"/proc/{source.decoder_pid}")
        assert b"correct horse" not in (process / "environ").read_bytes()
        limits = {
            line[:26].strip(): line[26:].split()[1] for line in (process / "limits").read_text().splitlines()
        }
        assert limits["Max file size"] == limits["Max core file size"] == "0"
        assert int(limits["Max address space"]) <= 4 << 30
        assert int(limits["Max open files"]) <= 32


@pytest.mark.parametrize(
    ("spec", "family"),
    [
        ("nowhere.mp4", NotFound),
        ("http://camera.example/video", Invalid),
        ("rtsp://", Invalid),
        ("rtsp://host:99999/x", Invalid),
        ("camera:97", Unavailable),
        ("/dev/null", Invalid),
    ],
)
def test_what_names_no_source_is_refused(spec: str, family: type[DoorwardError]) -> None:
    with pytest.raises(family) as refusal:
        open_source(spec, frames_per_second=None)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_must_be_possible(rate: float) -> None:
    with pytest.raises(Invalid):
        open_source("whatever", frames_per_second=rate)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="holds no images"):
        open_source(str(tmp_path), frames_per_second=None)
