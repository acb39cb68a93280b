"""On real people, where there are any: the promises that no drawing can stand in for."""

import csv
from pathlib import Path

import cv2
import numpy as np

from doorward.vision import faces, quality
from doorward.vision.model import FaceProblem


def test_pairs_of_press_photos_are_told_apart(real_data: Path) -> None:
    folder = real_data / "faces_lfw"
    with (folder / "pairs.csv").open() as file:
        pairs = list(csv.DictReader(file))[::10]
    right = 0
    for pair in pairs:
        left, other = (_template(folder / pair[side]) for side in ("a", "b"))
        right += (float(left @ other) > 0.363) == (pair["same"] == "1")
    assert right / len(pairs) >= 0.98


def test_most_press_photos_of_one_person_pass_the_gate(real_data: Path) -> None:
    photos = sorted((real_data / "faces_lfw").glob("*/*_0001.jpg"))[:60]
    told = [quality.assess(np.asarray(cv2.imread(str(photo)), np.uint8)).problem for photo in photos]
    alone = [problem for problem in told if problem is not FaceProblem.SEVERAL_FACES]
    assert sum(problem is None for problem in alone) / len(alone) > 0.85


def _template(photo: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The face nearest the middle, which is whom the collection means."""
    image = np.asarray(cv2.imread(str(photo)), np.uint8)
    middle = image.shape[1] / 2, image.shape[0] / 2
    return min(
        faces.observe(image),
        key=lambda seen: np.hypot(
            seen.detection.box.x + seen.detection.box.width / 2 - middle[0],
            seen.detection.box.y + seen.detection.box.height / 2 - middle[1],
        ),
    ).template
