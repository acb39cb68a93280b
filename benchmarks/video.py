"""Does an agent keep up with a 1080p camera? A made-up 25 fps file in real time, a face in every frame.

First vision alone at chosen rates, then an agent's own watcher, which chooses its rate by what a look costs.
"""

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from benchmarks._figures import Figure, tell
from doorward.vision.faces import observe
from doorward.vision.sources import open_source
from doorward_edge.config import CameraTable
from doorward_edge.statistics import AgentStatistics
from doorward_edge.watcher.budget import LEAST_PER_SECOND
from doorward_edge.wiring import build_watch

SECONDS = 20
LONGEST = 1.05 * SECONDS + 1
MOST_DROPPED = 0.05
SIZE = (1920, 1080)
RATES = (5.0, 10.0, 25.0)


def make_film(path: Path) -> None:
    """A face that walks through a noisy 1080p scene, H.264 at 25 frames a second."""
    noise = np.random.default_rng(2)
    face = cv2.resize(skimage.data.astronaut()[:, :, ::-1], (640, 640))
    backdrop = cv2.GaussianBlur(noise.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8), (0, 0), 6)
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "23"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(SECONDS * 25):
            picture = backdrop.copy()
            left = 100 + (number * 5) % (SIZE[0] - 840)
            picture[300:940, left : left + 640] = face
            picture[::7, ::5] = noise.integers(0, 256, picture[::7, ::5].shape, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        film.mux(stream.encode())


def play(path: Path, rate: float) -> str:
    """Play once in real time, looking for the largest face in each frame that comes."""
    began, used = time.monotonic(), _cpu_seconds()
    faces = 0
    slowest = 0.0
    with open_source(str(path), frames_per_second=rate, real_time=True) as source:
        for frame in source:
            looking = time.monotonic()
            faces += len(observe(frame.image, largest_only=True))
            slowest = max(slowest, time.monotonic() - looking)
        statistics = source.statistics
    took, cpu = time.monotonic() - began, _cpu_seconds() - used
    due = statistics.delivered + statistics.dropped
    all_came = statistics.delivered >= min(rate, 25.0) * SECONDS - 1 and faces > 0
    kept_up = all_came and statistics.dropped == 0 and took < LONGEST
    tell(
        Figure(
            f"1080p camera at {rate:.0f} frames a second",
            f"{took / SECONDS:.2f} x real time",
            "kept up",
            kept_up,
        )
    )
    return (
        f"{rate:4.0f} fps chosen: {statistics.decoded} decoded, {statistics.delivered} of {due} delivered, "
        f"{statistics.dropped} dropped, {faces} faces; {took / SECONDS:.2f} x real time, "
        f"{cpu / took:.2f} cores, slowest look {1000 * slowest:.0f} ms"
    )


def watch(path: Path) -> str:
    """Play it to the watcher of an agent as it comes, which drops frames where it must and counts them."""
    counts, began = AgentStatistics(), time.monotonic()
    camera = CameraTable(source=str(path))
    told = sum(seen.face is not None for seen in build_watch(camera, counts, _Silent())() if seen)
    took = time.monotonic() - began
    rate, dropped = counts.frames_examined / took, counts.frames_dropped
    most = MOST_DROPPED * (counts.frames_examined + dropped)
    value = f"{rate:.1f} looks a second, {dropped} frames dropped, {took / SECONDS:.2f} x real time"
    kept_up = told > 0 and took < LONGEST and rate >= LEAST_PER_SECOND and dropped <= most
    tell(Figure("agent on a 1080p file of 25 frames a second", value, "kept up", kept_up))
    return (
        f"agent: {counts.frames_decoded} decoded, {counts.frames_examined} examined, "
        f"{counts.frames_passed_over} passed over by choice, {dropped} dropped, {told} sightings"
    )


class _Silent:
    """A screen that nobody reads."""

    def say(self, sentence: str) -> None:
        """Nothing."""


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def main() -> int:
    """Print one line for each chosen rate, and one for the agent."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        make_film(film)
        cores, size = len(os.sched_getaffinity(0)), film.stat().st_size / 1e6
        print(f"{SIZE[0]}x{SIZE[1]}, 25 fps, {SECONDS} s, {size:.0f} MB H.264, {cores} cores")
        observe(np.zeros((720, 1280, 3), np.uint8))
        for rate in RATES:
            print(play(film, rate), flush=True)
        print(watch(film), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
