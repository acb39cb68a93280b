"""Does vision keep up with a 1080p camera? A made-up 25 fps file in real time, a face in every frame."""

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

SECONDS = 20
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
    kept_up = statistics.dropped == 0 and took < 1.05 * SECONDS + 1
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


def _cpu_seconds() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, kinds))


def main() -> int:
    """Print one line for each chosen rate."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        make_film(film)
        cores, size = len(os.sched_getaffinity(0)), film.stat().st_size / 1e6
        print(f"{SIZE[0]}x{SIZE[1]}, 25 fps, {SECONDS} s, {size:.0f} MB H.264, {cores} cores")
        observe(np.zeros((720, 1280, 3), np.uint8))
        for rate in RATES:
            print(play(film, rate), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
