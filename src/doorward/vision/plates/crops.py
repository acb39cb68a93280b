"""Straightens a plate into a strip that recognisers can read."""

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import Box
from doorward.vision.plates.detector import Floats, Image

HEIGHT = 48
WIDEST = 640


def straighten(image: Image, corners: Floats, *, across: float, along: float) -> Image:
    """The plate between four corners as a strip of 48 px, widened by parts of its width and height."""
    top_left, top_right, bottom_right, bottom_left = corners
    right = ((top_right - top_left) + (bottom_right - bottom_left)) / 2
    down = ((bottom_left - top_left) + (bottom_right - top_right)) / 2
    wide, high = right * across, down * along
    reach = [top_left - wide - high, top_right + wide - high, bottom_right + wide + high]
    source = np.array([*reach, bottom_left - wide + high], np.float32)
    ratio = float(np.linalg.norm(right)) / max(float(np.linalg.norm(down)), 1.0)
    width = int(np.clip(HEIGHT * ratio, 16, WIDEST))
    target = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    turn = cv2.getPerspectiveTransform(source, target)
    strip = cv2.warpPerspective(image, turn, (width, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(strip, np.uint8)


def cut(image: Image, box: Box, *, across: float = 0.0, along: float = 0.0) -> Image:
    """The part of the image in a widened box; at least 2 x 2 pixels."""
    rows, columns = image.shape[:2]
    left = int(np.clip(box.x - box.width * across, 0, columns - 2))
    top = int(np.clip(box.y - box.height * along, 0, rows - 2))
    right = int(np.clip(box.x + box.width * (1 + across), left + 2, columns))
    bottom = int(np.clip(box.y + box.height * (1 + along), top + 2, rows))
    return image[top:bottom, left:right]


def bounding(points: NDArray[np.float32]) -> Box:
    """The upright box around points."""
    low, high = points.min(0), points.max(0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
