"""Cuts and straightens parts of an image for those who read them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import Box
from doorward.vision.plates.detector import Floats, Image

HEIGHT = 48
NARROWEST, WIDEST = 16, 640
DIM, BRIGHT, DARKEST = 160, 240, 16
# Characters cover less than half of a plate; clearly less light than that means a dark ground.
LIGHT_GROUND = 0.45


def straighten(
    image: Image,
    corners: Floats,
    *,
    across: float,
    along: float,
    cut: tuple[float, float] = (0.0, 0.0),
    least_width: int = NARROWEST,
) -> Image:
    """The plate between four corners as a strip of 48 px, widened by parts of its width and height.

    `cut` takes parts of the height off the top and the bottom; strips narrower than `least_width` (pixels)
    are stretched, because recognisers read at most one character in 8 px.
    """
    top_left, top_right, bottom_right, bottom_left = corners
    right = ((top_right - top_left) + (bottom_right - bottom_left)) / 2
    down = ((bottom_left - top_left) + (bottom_right - top_right)) / 2
    wide, above, below = right * across, down * (along - cut[0]), down * (along - cut[1])
    reach = [top_left - wide - above, top_right + wide - above, bottom_right + wide + below]
    source = np.array([*reach, bottom_left - wide + below], np.float32)
    height = max(float(np.linalg.norm(down)) * (1 - sum(cut)), 1.0)
    width = int(np.clip(HEIGHT * float(np.linalg.norm(right)) / height, least_width, WIDEST))
    target = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    turn = cv2.getPerspectiveTransform(source, target)
    strip = cv2.warpPerspective(image, turn, (width, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(strip, np.uint8)


def beside(strips: list[Image]) -> Image:
    """Strips of one height as one, from left to right: the rows of a plate as a single line."""
    return np.ascontiguousarray(np.concatenate(strips, 1))


def brightened(image: Image) -> Image:
    """The image, a picture without any light scaled up to what detector and recognisers know.

    By its brightest spots: a night with lamps in it keeps its plate as it is.
    """
    brightest = float(np.percentile(image[::4, ::4], 99.9))
    if brightest >= DIM:
        return image
    return np.asarray(cv2.convertScaleAbs(image, alpha=BRIGHT / max(brightest, DARKEST)), np.uint8)


def is_light_on_dark(strip: Image) -> bool:
    """Whether most of a plate's middle is its darker part, so that the characters are the lighter one."""
    rows, columns = strip.shape[:2]
    middle = strip[rows // 5 : -(-rows * 4 // 5), columns // 12 : -(-columns * 19 // 20)]
    grey = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY)
    edge, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    return float((grey > edge).mean()) < LIGHT_GROUND


def surroundings(image: Image, box: Box, *, longest_side: int) -> tuple[Image, float, Floats]:
    """The image around a box, scaled to a longest side (pixels); the scale; its upper left in the image."""
    rows, columns = image.shape[:2]
    margin = max(box.width * 0.35, box.height * 0.8)
    left, right = np.clip([box.x - margin, box.x + box.width + margin], 0, columns).astype(int)
    top, bottom = np.clip([box.y - margin, box.y + box.height + margin], 0, rows).astype(int)
    part = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = longest_side / max(part.shape[:2])
    size = tuple(max(1, round(side * scale)) for side in (part.shape[1], part.shape[0]))
    grown = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return (
        np.asarray(cv2.resize(part, size, interpolation=grown), np.uint8),
        scale,
        np.array([left, top], np.float32),
    )


def bounding(points: NDArray[np.float32]) -> Box:
    """The upright box around points."""
    low, high = points.min(0), points.max(0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
