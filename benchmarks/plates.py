"""Plates: exact reads on the images under DOORWARD_DATA, false reads where no plate is, and speed."""

import importlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks._face_statistics import Share
from benchmarks._figures import Figure, tell
from benchmarks._plate_negatives import KINDS, made_up, painted_over
from benchmarks._plate_pictures import Picture, labelled, opened
from doorward.vision import weights
from doorward.vision.plates import Region, read
from doorward.vision.plates.detector import detect_with_corners
from doorward.vision.plates.rendering import render_plate_scene

_SETS = (
    ("plates_cn_frames", Region.CN),
    ("plates_eu", Region.EU),
    ("plates_us", Region.US),
    ("plates_br", Region.BR),
)
# Of each set, by the source that its names begin with; real pictures only.
_LIMITS = {
    "plates_cn_frames easypr": 0.92,
    "plates_cn_frames ccpd": 0.96,
    "plates_eu": 0.80,
    "plates_us": 0.78,
    "plates_br": 0.95,
}
_PHOTOS, _MADE_UP = 100, 100
_DRAWN = 40
_BESIDE = 12  # pictures of each set for the comparison with RapidOCR
_SAME = str.maketrans("O", "0")


@dataclass(slots=True)
class _Tally:
    """What came of one set of pictures."""

    right: int = 0
    among: int = 0
    but_for_o: int = 0
    of: int = 0
    milliseconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def main() -> int:
    """Print everything that can be measured with what is there."""
    folder = Path(os.environ.get("DOORWARD_DATA", ""))
    if "DOORWARD_DATA" not in os.environ or not folder.is_dir():
        print("Skipped: point DOORWARD_DATA at a folder that holds plates_cn_frames, plates_eu or plates_us.")
        return 0
    weights.prepare()
    cv2.setNumThreads(1)
    for name, region in _SETS:
        pictures = list(labelled(folder / name))
        for source in sorted({_source(place) for place, _ in pictures}):
            part = [one for one in pictures if _source(one[0]) == source]
            _report_set(f"{name} {source}".rstrip(), part, region)
    _report_drawn()
    _report_false_reads(folder)
    _report_beside_rapidocr(folder)
    return 0


def _source(place: Path) -> str:
    """EasyPR and CCPD lie in one folder, told apart by how their names begin."""
    return place.stem.split("_")[0] if place.stem.startswith(("easypr_", "ccpd_")) else ""


def _report_set(name: str, pictures: list[tuple[Path, str]], region: Region) -> None:
    tally = _Tally()
    for place, truth in pictures:
        image = opened(place)
        started = time.perf_counter()
        found = read(image, region=region)
        tally.milliseconds.append(1e3 * (time.perf_counter() - started))
        texts = [one.candidates[0].text for one in found]
        best = texts[0] if texts else "nothing"
        tally.of += 1
        tally.right += best == truth
        tally.among += truth in texts
        tally.but_for_o += best.translate(_SAME) == truth.translate(_SAME)
        if best != truth:
            tally.failures.append(f"{place.name}: {truth} read as {best}")
    print(f"{name}, region {region}: the surest plate's first candidate is exactly the annotation")
    print(f"  exact               {Share(tally.right, tally.of)}")
    print(f"  any plate in the picture {Share(tally.among, tally.of)}")
    print(f"  taking O and 0 as one {Share(tally.but_for_o, tally.of)}")
    print(f"  median {np.median(tally.milliseconds):.0f} ms, 95 in 100 under ", end="")
    print(f"{np.percentile(tally.milliseconds, 95):.0f} ms a picture, one thread")
    for failure in tally.failures:
        print(f"    {failure}")
    limit, exact = _LIMITS.get(name), Share(tally.right, tally.of)
    words, met = ("", None) if limit is None else (f">= {limit:.0%}", exact.value >= limit)
    tell(Figure(f"{name}: plates read exactly", exact.short(), words, met))


def _report_drawn() -> None:
    """Brazil has no real pictures here: made-up cars and motorcycles show at least that the path works."""
    for rows, name in ((1, "cars"), (2, "motorcycles, two rows")):
        for form in ("LLLDLDD", "LLLDDDD"):
            right = 0
            for seed in range(_DRAWN):
                truth = _made_up_plate(form, seed)
                found = read(render_plate_scene(truth, Region.BR, seed=seed, rows=rows), region=Region.BR)
                right += bool(found) and found[0].candidates[0].text == truth
            print(f"Drawn {name}, region br, {form}: {Share(right, _DRAWN)}", flush=True)


def _made_up_plate(form: str, seed: int) -> str:
    chance = np.random.default_rng(seed)
    return "".join(
        chr(65 + chance.integers(26)) if kind == "L" else str(chance.integers(10)) for kind in form
    )


def _report_false_reads(folder: Path) -> None:
    """How often a plate is read where there is none; seeded, so that every run sees the same."""
    kinds: list[tuple[str, Callable[[], Iterator[Picture]]]] = [
        (f"{kind}s, made up", partial(_made_up, kind)) for kind in KINDS
    ]
    photos = _spread(sorted((folder / "faces_lfw").glob("*/*.jpg")), _PHOTOS)
    frames = _spread([place for name, _ in _SETS for place, _ in labelled(folder / name)], _PHOTOS)
    kinds += [("photos of people", lambda: map(opened, photos))] if photos else []
    kinds += [("frames, plates painted over", lambda: map(_without_plates, frames))] if frames else []
    print("False reads per 1,000 pictures without a plate:")
    for (name, pictures), region in itertools.product(kinds, (Region.CN, Region.EU, Region.US, Region.BR)):
        told = [read(picture, region=region) for picture in pictures()]
        texts = [seen[0].candidates[0].text for seen in told if seen]
        share = Share(len(texts), len(told))
        print(f"  {name}, region {region}: {1e3 * len(texts) / len(told):.0f}   {share}   ", end="")
        print(" ".join(texts[:9]), flush=True)


def _made_up(kind: str) -> Iterator[Picture]:
    return (made_up(seed)[1] for seed in range(KINDS.index(kind), _MADE_UP * len(KINDS), len(KINDS)))


def _without_plates(place: Path) -> Picture:
    """The frame, with all that even resembles a plate to the detector painted over."""
    image = opened(place)
    found = detect_with_corners(image, least_confidence=0.05)
    return painted_over(image, [one.box for one in found])


def _spread(all_of_them: list[Any], wanted: int) -> list[Any]:
    return all_of_them[:: max(1, len(all_of_them) // wanted)][:wanted]


def _report_beside_rapidocr(folder: Path) -> None:
    """The same pictures through RapidOCR's own pipeline, turn by turn, one thread each."""
    sys.path.append(str(weights.default_carriers()))
    try:
        theirs = importlib.import_module("rapidocr_onnxruntime").RapidOCR
    except ImportError as error:
        print(f"RapidOCR's own pipeline was not timed: {error}.")
        print("  It needs pyclipper, shapely, six, PyYAML and tqdm besides.")
        return
    peer = theirs(intra_op_num_threads=1, inter_op_num_threads=1)
    print(f"Beside RapidOCR's own pipeline, {_BESIDE} pictures of each set, one thread, median ms:")
    for name, region in _SETS:
        pictures = _spread(list(labelled(folder / name)), _BESIDE)
        taken = [_both(peer, opened(place), truth, region) for place, truth in pictures]
        if taken:
            our, their = np.median([one[0] for one in taken]), np.median([one[1] for one in taken])
            print(f"  {name}: {our:.0f} ms against {their:.0f} ms, ratio {our / their:.2f}; ", end="")
            print(f"exact {sum(o[2] for o in taken)} against {sum(o[3] for o in taken)} of {len(taken)}")


def _both(theirs: Any, image: Picture, truth: str, region: Region) -> tuple[float, float, bool, bool]:
    """Milliseconds of both, and whether each read the plate (theirs: any line that is the plate)."""
    started = time.perf_counter()
    ours = read(image, region=region)
    between = time.perf_counter()
    lines, _ = theirs(image)
    ended = time.perf_counter()
    forms = {"".join(c for c in text.upper() if c.isalnum()) for _, text, _ in lines or []}
    right = bool(ours) and ours[0].candidates[0].text == truth
    return 1e3 * (between - started), 1e3 * (ended - between), right, truth in forms


if __name__ == "__main__":
    sys.exit(main())
