"""Runs in the peers' own environment: a picture's place in, a line of JSON out. Knows nothing of Doorward.

Run by `benchmarks._peers` as: python _peer_worker.py face_recognition|hyperlpr2
"""

import importlib
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


def main(name: str) -> int:
    """Answer each line of standard input until it ends."""
    warnings.simplefilter("ignore")
    cv2 = importlib.import_module("cv2")
    np = importlib.import_module("numpy")
    cv2.setNumThreads(1)
    look = {"face_recognition": _face_recognition, "hyperlpr2": _hyperlpr2}[name](np)
    print(json.dumps({"ready": name}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        began, used = time.perf_counter(), time.process_time()
        try:
            image = cv2.imdecode(np.fromfile(asked["picture"], np.uint8), cv2.IMREAD_COLOR)
            began, used = time.perf_counter(), time.process_time()
            answer = look(image, asked)
        except Exception as error:  # whatever a peer stumbles over is its answer
            answer = {"error": type(error).__name__}
        answer["ms"] = 1e3 * (time.perf_counter() - began)
        answer["cpu_ms"] = 1e3 * (time.process_time() - used)
        print(json.dumps(answer), flush=True)
    return 0


def _face_recognition(np: Any) -> Callable[[Any, Answer], Answer]:
    """Finds faces (HOG), then aligns and embeds the largest, or the one nearest the middle."""
    peer = importlib.import_module("face_recognition")

    def look(image: Any, asked: Answer) -> Answer:
        picture = np.ascontiguousarray(image[:, :, ::-1])
        found = peer.face_locations(picture)
        if not found:
            return {"template": None}
        height, width = image.shape[:2]

        def rank(box: tuple[int, int, int, int]) -> float:
            top, right, bottom, left = box
            if asked["choose"] == "largest":
                return -float((right - left) * (bottom - top))
            return ((left + right - width) ** 2 + (top + bottom - height) ** 2) ** 0.5

        (template,) = peer.face_encodings(picture, [min(found, key=rank)])
        return {"template": template.tolist()}

    return look


def _hyperlpr2(_: Any) -> Callable[[Any, Answer], Answer]:
    """The plate it is surest of."""
    peer = importlib.import_module("hyperlpr2").HyperLPR_plate_recognition

    def look(image: Any, _: Answer) -> Answer:
        found = peer(image)
        return {"text": max(found, key=lambda one: one[1])[0] if found else ""}

    return look


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
