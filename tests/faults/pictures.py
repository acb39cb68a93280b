"""Pictures for the tests of faults: one free portrait, and things that are no picture at all."""

import cv2
import numpy as np
import skimage.data


def portrait() -> bytes:
    """A free portrait as a JPEG."""
    image = np.asarray(skimage.data.astronaut())[:320, 60:380, ::-1]  # type: ignore[no-untyped-call]
    return cv2.imencode(".jpg", np.ascontiguousarray(image))[1].tobytes()
