"""Photos in the layout of Labeled Faces in the Wild, each turned into one face; and its lists of pairs."""

import csv
import math
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks._face_statistics import Share
from doorward.vision import faces, quality
from doorward.vision.model import FaceObservation

PAIRS = ("pairs.csv", "pairs.txt")
_FOLD = 600
_FEWEST_FOLDS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """One face a photo, row by row: its name, whose it is, its template, and what the product's gates say."""

    names: list[str]
    people: NDArray[np.str_]
    templates: NDArray[np.float32]
    enrollable: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    without_face: frozenset[str]
    row_of: dict[str, int]
    of_each: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photos, whether they show one person, and the fold they belong to."""

    first: str
    second: str
    same: bool
    fold: int


def photo_folder() -> Path | None:
    """Where the photos lie; None, said why, where there are none."""
    folder = Path(os.environ.get("DOORWARD_DATA", "")) / "faces_lfw"
    if "DOORWARD_DATA" in os.environ and any(folder.glob("*/*.jpg")):
        return folder
    print("Skipped: point DOORWARD_DATA at a folder that holds faces_lfw/PERSON/PHOTO.jpg.")
    return None


def gather(folder: Path) -> Photos:
    """Observes every photo and takes the face nearest the middle, which is whom these photos mean."""
    names = [str(path.relative_to(folder)) for path in sorted(folder.glob("*/*.jpg"))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        seen = list(pool.map(lambda name: meant(folder / name), names))
    found = [(name, face) for name, face in zip(names, seen, strict=True) if face is not None]
    # As if the photo had been cut to this face: people in the background are not what is measured here.
    problems = [quality.judge([face]).problem for _, face in found]
    print(f"{len(names)} photos, {len(names) - len(found)} without any face found")
    print(f"  a door takes          {Share(sum(not f.quality.problem for _, f in found), len(names))}")
    print(f"  the enrolment takes   {Share(problems.count(None), len(names))}")
    for problem, count in Counter(filter(None, problems)).most_common():
        print(f"    refused there: {problem} {count}")
    for name, face in zip(names, seen, strict=True):
        if face is None:
            print(f"    no face found in {name}")
    rows: dict[str, list[int]] = defaultdict(list)
    for row, (name, _) in enumerate(found):
        rows[name.split("/")[0]].append(row)
    return Photos(
        names=[name for name, _ in found],
        people=np.array([name.split("/")[0] for name, _ in found]),
        templates=np.stack([face.template for _, face in found]),
        enrollable=np.array([problem is None for problem in problems]),
        usable=np.array([face.quality.problem is None for _, face in found]),
        without_face=frozenset(names) - {name for name, _ in found},
        row_of={name: row for row, (name, _) in enumerate(found)},
        of_each=dict(rows),
    )


def meant(path: Path) -> FaceObservation | None:
    """The face that a photo is of, if any is found."""
    image = cv2.imread(str(path))
    if image is None:
        return None
    found = faces.detect(np.asarray(image, np.uint8))
    if not found:
        return None
    height, width = image.shape[:2]
    boxes = [(one.box.x, one.box.y, one.box.width, one.box.height) for one in found]
    return faces.observe_detected(np.asarray(image, np.uint8), found[nearest_middle(boxes, width, height)])


def nearest_middle(boxes: Sequence[tuple[float, float, float, float]], width: int, height: int) -> int:
    """Which of these boxes (x, y, width, height) lies nearest the middle of the picture."""
    return min(
        range(len(boxes)),
        key=lambda n: math.hypot(
            boxes[n][0] + boxes[n][2] / 2 - width / 2, boxes[n][1] + boxes[n][3] / 2 - height / 2
        ),
    )


def listed_pairs(folder: Path) -> list[Pair]:
    """The pairs that a folder lists, in `pairs.csv` (a,b,same) or LFW's own layout; empty without a list."""
    place = next((folder / name for name in PAIRS if (folder / name).is_file()), None)
    if place is None:
        return []
    text = place.read_text(encoding="utf8")
    rows = [row for row in csv.reader(text.splitlines(), delimiter="\t" if "\t" in text else ",") if row]
    if not rows:
        return []
    if rows[0][:3] == ["a", "b", "same"]:
        return _folded([(row[0], row[1], row[2].lower() in {"1", "true"}) for row in rows[1:]])
    told = [[cell for cell in row if cell] for row in rows]
    return _folded([_own_layout(row) for row in told if len(row) in (3, 4) and row[1].isdigit()])


def _own_layout(row: list[str]) -> tuple[str, str, bool]:
    """`NAME 1 4` is one person twice, `NAME 1 OTHER 2` two people."""
    same = len(row) == 3
    other, second = (row[0], row[2]) if same else (row[2], row[3])
    return _photo(row[0], row[1]), _photo(other, second), same


def _photo(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


def _folded(pairs: list[tuple[str, str, bool]]) -> list[Pair]:
    """Whole folds of 600 as they are listed; fewer than two of them are dealt out in ten."""
    folds = len(pairs) // _FOLD
    whole = folds >= 2
    return [
        Pair(a, b, same, min(n // _FOLD, folds - 1) if whole else n % _FEWEST_FOLDS)
        for n, (a, b, same) in enumerate(pairs)
    ]
