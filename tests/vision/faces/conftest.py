import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from doorward.vision import weights


@pytest.fixture(scope="session", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """Eileen Collins, photographed by NASA: public domain, and shipped inside scikit-image's wheel."""
    image = np.asarray(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)  # type: ignore[no-untyped-call]
    image.flags.writeable = False
    return image
