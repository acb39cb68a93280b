"""From a frame and the face found in it to what liveness needs to know."""

import numpy as np
from numpy.typing import NDArray

from doorward.vision.liveness.lids import lids
from doorward.vision.liveness.model import LivenessCue
from doorward.vision.model import FaceObservation


def cues(image: NDArray[np.uint8], observation: FaceObservation, at_seconds: float) -> LivenessCue:
    """What one frame (BGR) says of the face observed in it."""
    landmarks = observation.detection.landmarks
    return LivenessCue(
        at_seconds=at_seconds,
        yaw_degrees=observation.quality.yaw_degrees,
        lids=lids(image, landmarks),
        landmarks=landmarks,
        template=observation.template,
    )
