"""Made-up tracks: five points of a head in space, or printed on paper, seen by a camera."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness import Lids, LivenessCue
from doorward.vision.model import FaceTemplate

# Right eye, left eye, nose tip, right and left mouth corner, in eye distances; the nose stands out by a half.
HEAD = np.array([[-0.5, 0, 0], [0.5, 0, 0], [0, 0.55, -0.5], [-0.4, 1.1, 0.05], [0.4, 1.1, 0.05]])
PAPER = HEAD * [1, 1, 0]
RATE = 10.0
OPEN, SHUT = Lids(0.30, 0.28, presence=12.0), Lids(0.08, 0.07, presence=11.0)
# What a strip laid over the eyes makes of them: the mesh is less sure of the face.
COVERED = replace(SHUT, presence=7.0)


def person(number: int) -> FaceTemplate:
    drawn = np.random.default_rng(number).normal(size=128)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def seen(points: NDArray[np.float64], yaw: float, pitch: float = 0.0) -> NDArray[np.float32]:
    """Landmarks in pixels; `yaw` positive to the person's left, which is the camera's right."""
    around, over = math.radians(-yaw), math.radians(pitch)
    turn = np.array(
        [[math.cos(around), 0, math.sin(around)], [0, 1, 0], [-math.sin(around), 0, math.cos(around)]]
    )
    nod = np.array([[1, 0, 0], [0, math.cos(over), -math.sin(over)], [0, math.sin(over), math.cos(over)]])
    turned = points @ (nod @ turn).T
    return np.asarray(turned[:, :2] / (turned[:, 2:] + 8) * 640 + 300, np.float32)


def cue(
    at_seconds: float,
    yaw: float = 0.0,
    eyes: Lids | None = OPEN,
    *,
    points: NDArray[np.float64] = HEAD,
    template: FaceTemplate | None = None,
    claimed_yaw: float | None = None,
) -> LivenessCue:
    return LivenessCue(
        at_seconds=at_seconds,
        yaw_degrees=yaw if claimed_yaw is None else claimed_yaw,
        lids=eyes,
        landmarks=seen(points, yaw),
        template=person(1) if template is None else template,
    )


def track(moves: Iterable[tuple[float, Lids | None]], start: float = 0.0) -> list[LivenessCue]:
    return [cue(start + number / RATE, yaw, eyes) for number, (yaw, eyes) in enumerate(moves)]


CALM = [(0.0, OPEN)] * 6
BLINK = [(0.0, OPEN)] * 2 + [(0.0, SHUT)] * 3 + [(0.0, OPEN)] * 2


def turned(degrees: float) -> list[tuple[float, Lids | None]]:
    return [(degrees * share, OPEN) for share in (0, 0.3, 0.6, 0.9, 1, 1, 1, 0.7, 0.3, 0)]
