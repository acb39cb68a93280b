from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from doorward.vision import fold, weights


@pytest.fixture(scope="session", autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """Eileen Collins, photographed by NASA: public domain, and shipped inside scikit-image's wheel."""
    image = np.asarray(cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR), np.uint8)  # type: ignore[no-untyped-call]
    image.flags.writeable = False
    return image


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Paths of the face models with the inputs that OpenCV's own classes expect."""
    folder: Path = tmp_path_factory.mktemp("published")
    makers = {"face_detector.onnx": fold.folded_detector, "face_recogniser.onnx": fold.folded_recogniser}
    for weight in weights.WEIGHTS:
        if weight.name in makers:
            source = (weights.default_carriers() / weight.source).read_bytes()
            (folder / weight.name).write_bytes(makers[weight.name](source, takes_pictures=False))
    return lambda name: str(folder / name)
