"""Real plates, where DOORWARD_DATA points at some: a few of each set, far above what chance could do."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from doorward.vision import weights
from doorward.vision.model import Box
from doorward.vision.plates import Region, read


@pytest.fixture(autouse=True)
def prepared_models() -> weights.Prepared:
    return weights.prepare()


def opened(place: Path) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(place.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize(
    ("folder", "region", "least"),
    [("plates_eu", Region.EU, 0.75), ("plates_us", Region.US, 0.7)],
)
def test_latin_plates_are_read_where_they_are(
    real_data: Path, folder: str, region: Region, least: float
) -> None:
    notes = sorted((real_data / folder).glob("*.txt"))[::5]
    right = 0
    for note in notes:
        name, x, y, width, height, truth = note.read_text(encoding="utf8").split()[:6]
        place = Box(float(x), float(y), float(width), float(height))
        found = read(opened(note.parent / name), region=region)
        right += any(one.candidates[0].text == truth and one.box.overlap(place) > 0.3 for one in found)
    assert right >= least * len(notes)


def test_chinese_plates_are_read(real_data: Path) -> None:
    places = sorted((real_data / "plates_cn_frames").glob("*.jpg"))[::6]
    texts = [[one.candidates[0].text for one in read(opened(place), region=Region.CN)] for place in places]
    right = sum(place.stem.split("_")[-1] in found for place, found in zip(places, texts, strict=True))
    assert right >= 0.85 * len(places)


def test_photos_of_people_hold_no_plates(real_data: Path) -> None:
    places = sorted((real_data / "faces_lfw").glob("*/*.jpg"))[::80]
    for place in places:
        assert read(opened(place), region=Region.EU) == []
