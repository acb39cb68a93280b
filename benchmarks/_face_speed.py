"""How long a face takes, against the bare inferences and OpenCV's own pipeline on the same pictures."""

import atexit
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._face_photos import nearest_middle
from benchmarks._face_statistics import Share
from benchmarks._figures import Figure, tell
from doorward.vision import faces, fold, weights
from doorward.vision.runtime import onnxruntime

_ROUNDS = 15
_PICTURES = 12
_FRAME = (640, 480)


def report_speed(folder: Path) -> None:
    """Medians in milliseconds, every contender in turn on every picture so that all meet the same noise."""
    frames = door_frames(folder, _PICTURES)
    times: dict[str, list[float]] = {}
    peer_threads = cv2.getNumThreads()
    for _ in range(_ROUNDS):
        for frame in frames:
            for name, work in _contenders(frame).items():
                cv2.setNumThreads(1)
                started = time.perf_counter()
                work()
                times.setdefault(name, []).append(time.perf_counter() - started)
    cv2.setNumThreads(peer_threads)
    medians = {name: 1e3 * float(np.median(taken)) for name, taken in times.items()}
    print(f"Speed, one thread, {len(frames)} frames of 640x480, largest face, medians of {_ROUNDS} rounds:")
    for name, median in medians.items():
        print(f"  {name:34} {median:7.2f} ms")
    bare = medians["bare inference: detector"] + medians["bare inference: recogniser"]
    ours = medians["observe (all of it)"]
    print(f"  observe / OpenCV's own pipeline    {ours / medians['OpenCV YN + SF']:7.3f}")
    ratio = ours / bare
    tell(Figure("find, align, embed, judge / bare inferences", f"{ratio:.2f} x", "<= 1.5 x", ratio <= 1.5))


def door_frames(folder: Path, most: int) -> list[NDArray[np.uint8]]:
    """Camera frames of 640x480, one person in each."""
    places = sorted(folder.glob("*/*.jpg"))[:most]
    return [frame for place in places if (frame := _frame(place)) is not None]


def _frame(path: Path) -> NDArray[np.uint8] | None:
    """The photo amid a grey camera frame, as large as a face at a door."""
    image = cv2.imread(str(path))
    if image is None:
        return None
    frame = np.full((_FRAME[1], _FRAME[0], 3), 96, np.uint8)
    photo = cv2.resize(image, (400, 400))
    frame[40:440, 120:520] = photo
    return frame if faces.detect(frame) else None


@cache
def published_models() -> tuple[Path, Path]:
    """Detector and recogniser in fp32 with the inputs they were published with, as OpenCV wants them."""
    folder = Path(tempfile.mkdtemp(prefix="doorward-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    made = []
    for name, make in (
        ("face_detector.onnx", fold.folded_detector),
        ("face_recogniser.onnx", fold.folded_recogniser),
    ):
        weight = next(one for one in weights.WEIGHTS if one.name == name)
        source = (weights.default_carriers() / weight.source).read_bytes()
        (folder / name).write_bytes(make(source, takes_pictures=False))
        made.append(folder / name)
    return made[0], made[1]


@cache
def onnxruntime_session(model: Path) -> onnxruntime.InferenceSession:
    """A session as plain as can be, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _contenders(frame: NDArray[np.uint8]) -> dict[str, Callable[[], object]]:
    detector, recogniser = (onnxruntime_session(path) for path in published_models())
    face = faces.detect(frame)[0]
    aligned = faces.align(frame, face.landmarks)
    frame_blob, face_blob = cv2.dnn.blobFromImage(frame), cv2.dnn.blobFromImage(aligned, swapRB=True)
    return {
        "bare inference: detector": lambda: detector.run(None, {"input": frame_blob}),
        "bare inference: recogniser": lambda: recogniser.run(None, {"data": face_blob}),
        "detect": lambda: faces.detect(frame),
        "embed": lambda: faces.embed(aligned),
        "observe (all of it)": lambda: faces.observe(frame, largest_only=True),
        "OpenCV YN + SF": lambda: opencv_template(frame),
    }


_OPENCV = threading.local()


def opencv_template(
    image: NDArray[np.uint8], *, nearest_to_middle: bool = False
) -> NDArray[np.float32] | None:
    """The template of the largest face, or of the one nearest the middle, by OpenCV's own classes."""
    if not hasattr(_OPENCV, "classes"):
        detector, recogniser = published_models()
        _OPENCV.classes = (
            cv2.FaceDetectorYN.create(str(detector), "", _FRAME, 0.6, 0.3, 5000),
            cv2.FaceRecognizerSF.create(str(recogniser), ""),
        )
    detect, recognise = _OPENCV.classes
    height, width = image.shape[:2]
    detect.setInputSize((width, height))
    _, found = detect.detect(image)
    if found is None or not len(found):
        return None
    boxes = [tuple(row[:4]) for row in found]
    largest = max(range(len(found)), key=lambda n: boxes[n][2] * boxes[n][3])
    chosen = found[nearest_middle(boxes, width, height) if nearest_to_middle else largest]
    template = recognise.feature(recognise.alignCrop(image, chosen)).reshape(-1)
    return np.asarray(template / np.linalg.norm(template), np.float32)


def report_agreement(folder: Path) -> None:
    """Whether OpenCV's own pipeline, with the same weights, gives the same templates."""
    alike, compared, worst = 0, 0, 1.0
    for path in sorted(folder.glob("*/*.jpg"))[:60]:
        image = cv2.imread(str(path))
        ours = faces.observe(image, largest_only=True) if image is not None else []
        theirs = opencv_template(image) if ours else None
        if theirs is None:
            continue
        cosine = float(ours[0].template @ theirs)
        compared, alike, worst = compared + 1, alike + (cosine > 0.999), min(worst, cosine)
    print(f"Same template as OpenCV's pipeline (cosine > 0.999) {Share(alike, compared)} least {worst:.5f}")
