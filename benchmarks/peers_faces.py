"""Faces beside face_recognition (dlib) and OpenCV's own classes: speed at 640x480, accuracy on pairs."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._face_photos import Pair, listed_pairs, meant, photo_folder
from benchmarks._face_speed import door_frames, opencv_template
from benchmarks._face_statistics import Share, told_right
from benchmarks._figures import Figure, tell
from benchmarks._peers import Peer, peer
from doorward.vision import faces, weights

PAIRS = 1_200
FRAMES, ROUNDS = 12, 8
NO_FACE = -1e9
Template = NDArray[np.float64]
Embed = Callable[[Path], Template | None]


def main() -> int:
    """Print both comparisons, with whichever peers can run."""
    folder = photo_folder()
    if folder is None:
        return 0
    weights.prepare()
    cv2.setNumThreads(1)
    with peer("face_recognition") as other:
        _report_speed(folder, other)
        _report_accuracy(folder, other)
    return 0


def _report_speed(folder: Path, other: Peer | None) -> None:
    """Milliseconds of processor from a frame to the template of its largest face, turn by turn."""
    times: dict[str, list[float]] = {"ours": [], "OpenCV YN + SF": []}
    with tempfile.TemporaryDirectory() as name:
        frames = [(Path(name) / f"{n}.png", one) for n, one in enumerate(door_frames(folder, FRAMES))]
        for place, frame in frames:
            cv2.imwrite(str(place), frame)
        for _ in range(ROUNDS):
            for place, frame in frames:
                times["ours"].append(_cost(lambda frame=frame: faces.observe(frame, largest_only=True)))
                times["OpenCV YN + SF"].append(_cost(lambda frame=frame: opencv_template(frame)))
                if other is not None:
                    answer = other.ask(place, choose="largest")
                    times.setdefault("face_recognition", []).append(answer["cpu_ms"])
    medians = {name: float(np.nanmedian(taken)) for name, taken in times.items()}
    print(f"Find, align and embed the largest face of {len(frames)} frames of 640x480, one thread:")
    for name, median in medians.items():
        print(f"  {name:18} {median:7.1f} ms of processor")
    for name in list(medians)[1:]:
        ratio = medians["ours"] / medians[name]
        tell(Figure(f"face speed, ours / {name}", f"{ratio:.2f} x", "<= 1 x", ratio <= 1))


def _cost(work: Callable[[], object]) -> float:
    used = time.process_time()
    work()
    return 1e3 * (time.process_time() - used)


def _report_accuracy(folder: Path, other: Peer | None) -> None:
    """The same pairs told by each, with the cut that is best for it on the other folds."""
    listed = listed_pairs(folder)
    pairs = listed[:: max(1, len(listed) // PAIRS)]
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    places = {name: folder / name for name in names if (folder / name).is_file()}
    pairs = [pair for pair in pairs if pair.first in places and pair.second in places]
    if not pairs:
        print("No pairs are listed: accuracy was not compared.")
        return
    print(f"{len(pairs)} of {len(listed)} pairs, each contender with the cut best for it on other folds:")
    told = {
        "ours": _told(pairs, _all(places, _our_template)),
        "OpenCV YN + SF": _told(pairs, _all(places, _opencv_template)),
    }
    if other is not None:
        theirs = {name: _peer_template(other, place) for name, place in places.items()}
        told["face_recognition"] = _told(pairs, theirs)
    for name, share in told.items():
        print(f"  {name:18} {share}")
    for name in list(told)[1:]:
        ratio = (1 - told["ours"].value) / max(1 - told[name].value, 1e-9)
        what = f"pairs told wrong, ours / {name}"
        tell(Figure(what, f"{ratio:.2f} x", "<= 1 x", ratio <= 1))


def _all(places: dict[str, Path], embed: Embed) -> dict[str, Template | None]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(places, pool.map(embed, places.values()), strict=True))


def _told(pairs: list[Pair], templates: dict[str, Template | None]) -> Share:
    scores = np.array([_alike(templates[pair.first], templates[pair.second]) for pair in pairs])
    same = np.array([pair.same for pair in pairs])
    right, _ = told_right(scores, same, np.array([pair.fold for pair in pairs]))
    right &= scores > NO_FACE
    return Share(int(right.sum()), len(pairs))


def _alike(a: Template | None, b: Template | None) -> float:
    """Minus the distance, which dlib is compared by; at length one it orders like the cosine."""
    return NO_FACE if a is None or b is None else -float(np.linalg.norm(a - b))


def _our_template(place: Path) -> Template | None:
    seen = meant(place)
    return None if seen is None else seen.template.astype(np.float64)


def _opencv_template(place: Path) -> Template | None:
    image = cv2.imread(str(place))
    found = None if image is None else opencv_template(np.asarray(image, np.uint8), nearest_to_middle=True)
    return None if found is None else found.astype(np.float64)


def _peer_template(other: Peer, place: Path) -> Template | None:
    template = other.ask(place, choose="middle").get("template")
    return None if template is None else np.array(template)


if __name__ == "__main__":
    sys.exit(main())
