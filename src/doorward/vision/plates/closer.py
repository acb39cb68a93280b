"""Looks at a place again, magnified and squeezed into the shape of plates that the detector learned."""

from dataclasses import replace

import cv2
import numpy as np

from doorward.vision.model import Box
from doorward.vision.plates.crops import bounding
from doorward.vision.plates.detector import Floats, Image, PlateDetection, PlateDetector

# Pixels: a Chinese plate as it mostly stood in the pictures that the detector learned from. Squeezed to this,
# plates of two rows are found best as well.
WIDTH, HEIGHT = 160, 62
ACROSS, ALONG = 0.8, 1.5
LEAST_CONFIDENCE = 0.1
LEAST_OVERLAP = 0.3
_LEAST_PIXELS = 8


def look_closer(image: Image, place: PlateDetection, detector: PlateDetector) -> PlateDetection | None:
    """The place as the detector sees it in close-up, or None where it sees no plate there any more.

    Its confidence compares plates of all regions and distances: at first sight long plates and far ones look
    as doubtful as signs do. Corners are finer, too.
    """
    part, origin = _around(image, place.box)
    if min(part.shape[:2]) < _LEAST_PIXELS:
        return None
    scale = np.array([WIDTH / max(place.box.width, 1.0), HEIGHT / max(place.box.height, 1.0)], np.float32)
    size = tuple(max(1, round(float(side))) for side in part.shape[1::-1] * scale)
    grown = cv2.INTER_CUBIC if scale[0] > 1 else cv2.INTER_AREA
    shown = np.asarray(cv2.resize(part, size, interpolation=grown), np.uint8)
    found = detector(shown, least_confidence=LEAST_CONFIDENCE, longest_side=max(size))
    same = [
        back for one in found if (back := _back(one, scale, origin)).box.overlap(place.box) > LEAST_OVERLAP
    ]
    return max(same, key=lambda one: one.confidence, default=None)


def _around(image: Image, box: Box) -> tuple[Image, Floats]:
    rows, columns = image.shape[:2]
    across, along = ACROSS * box.width, ALONG * box.height
    left, right = np.clip([box.x - across, box.x + box.width + across], 0, columns).astype(int)
    top, bottom = np.clip([box.y - along, box.y + box.height + along], 0, rows).astype(int)
    return image[top:bottom, left:right], np.array([left, top], np.float32)


def _back(found: PlateDetection, scale: Floats, origin: Floats) -> PlateDetection:
    """The detection in pixels of the whole image."""
    box = found.box
    ends = np.array([[box.x, box.y], [box.x + box.width, box.y + box.height]], np.float32) / scale + origin
    corners = None if found.corners is None else np.asarray(found.corners / scale + origin, np.float32)
    return replace(found, box=bounding(ends), corners=corners)
