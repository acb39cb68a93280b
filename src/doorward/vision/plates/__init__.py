"""Number plates: from an image to candidates with probabilities, and from those to a known plate."""

from doorward.vision.plates.grammar import normalise
from doorward.vision.plates.known import Known, match
from doorward.vision.plates.model import PlateCandidate, PlateObservation, Region
from doorward.vision.plates.reading import read

__all__ = ["Known", "PlateCandidate", "PlateObservation", "Region", "match", "normalise", "read"]
