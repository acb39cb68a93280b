"""What vision says about number plates: candidates with probabilities, never a bare string."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from doorward.vision.model import Box


class Region(StrEnum):
    """Whose plates a lane expects; a site setting."""

    CN = "cn"
    EU = "eu"
    US = "us"
    BR = "br"
    LATIN = "latin"


@dataclass(frozen=True, slots=True)
class PlateCandidate:
    """One reading: its share of the probability among the candidates, and how sure each character is."""

    text: str
    probability: float
    character_confidences: tuple[float, ...]

    @property
    def minimum_confidence(self) -> float:
        """The least sure character: an average would hide a blurred one."""
        return min(self.character_confidences, default=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class PlateObservation:
    """One plate in an image: where, as what (best first), and its rectified crop (BGR, uint8).

    `corners` is float32 (4, 2) clockwise from the upper left, or None where the detector gives a box only;
    `detection_confidence` is that of the closer look, where one was taken.
    """

    box: Box
    corners: NDArray[np.float32] | None
    candidates: tuple[PlateCandidate, ...]
    detection_confidence: float
    crop: NDArray[np.uint8]
