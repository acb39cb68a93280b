"""Plates: exact reads on the images under DOORWARD_DATA, false reads where no plate is, and speed."""

import importlib
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from benchmarks._face_statistics import Share
from doorward.vision import weights
from doorward.vision.plates import Region, normalise, read

Picture = NDArray[np.uint8]

_SETS = (("plates_cn_frames", Region.CN), ("plates_eu", Region.EU), ("plates_us", Region.US))
_PHOTOS, _SIGNS, _NOISES = 200, 150, 50
_BESIDE = 12  # pictures of each set for the comparison with RapidOCR
_SAME = str.maketrans("O", "0")
_WORDS = (
    "EXIT OPEN CLOSED PARKING RECEPTION VISITORS DELIVERY TAXI BUS STOP POLICE HOTEL CAFE MARKET PHARMACY "
    "SCHOOL HOSPITAL GATE FLOOR LEVEL ZONE SPEED LIMIT NO ENTRY SALE WELCOME PUSH PULL TICKETS BANK"
)


@dataclass(slots=True)
class _Tally:
    """What came of one set of pictures."""

    right: int = 0
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
        if (folder / name).is_dir():
            _report_set(folder / name, region)
    _report_false_reads(folder / "faces_lfw")
    _report_beside_rapidocr(folder)
    return 0


def _report_set(folder: Path, region: Region) -> None:
    tally = _Tally()
    for place, truth in _labelled(folder):
        image = _opened(place)
        started = time.perf_counter()
        found = read(image, region=region)
        tally.milliseconds.append(1e3 * (time.perf_counter() - started))
        best = found[0].candidates[0].text if found else "nothing"
        tally.of += 1
        tally.right += best == truth
        tally.but_for_o += best.translate(_SAME) == truth.translate(_SAME)
        if best != truth:
            tally.failures.append(f"{truth} read as {best}")
    print(f"{folder.name}, region {region}: the surest plate's first candidate is exactly the annotation")
    print(f"  exact               {Share(tally.right, tally.of)}")
    print(f"  taking O and 0 as one {Share(tally.but_for_o, tally.of)}")
    print(f"  median {np.median(tally.milliseconds):.0f} ms, 95 in 100 under ", end="")
    print(f"{np.percentile(tally.milliseconds, 95):.0f} ms a picture, one thread")
    for failure in tally.failures:
        print(f"    {failure}")
    sys.stdout.flush()


def _labelled(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each picture with its plate: from the .txt beside it, else from the end of its name."""
    for place in sorted(folder.glob("*.jpg")):
        beside = place.with_suffix(".txt")
        if beside.is_file():
            yield place, normalise(beside.read_text(encoding="utf8").split("\n")[0].split()[-1])
        else:
            yield place, normalise(place.stem.rsplit("_", 1)[-1])


def _opened(place: Path) -> Picture:
    """Read as bytes first, for OpenCV does not open every name."""
    image = cv2.imdecode(np.frombuffer(place.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{place} is no picture.")
    return np.asarray(image, np.uint8)


def _report_false_reads(photos: Path) -> None:
    """How often a plate is read where there is none; one seed, so that every run sees the same."""
    kinds: list[tuple[str, Callable[[], Iterator[Picture]]]] = [("signs", _signs), ("noise", _noise)]
    places = sorted(photos.glob("*/*.jpg"))[:: max(1, len(list(photos.glob("*/*.jpg"))) // _PHOTOS)][:_PHOTOS]
    if places:
        kinds.insert(0, ("photos of people", lambda: map(_opened, places)))
    print("False reads per 1,000 pictures without a plate:")
    for (name, pictures), region in itertools.product(kinds, (Region.CN, Region.EU, Region.BR)):
        told = [read(picture, region=region) for picture in pictures()]
        texts = [seen[0].candidates[0].text for seen in told if seen]
        share = Share(len(texts), len(told))
        print(
            f"  {name}, region {region}: {1e3 * len(texts) / len(told):.0f}   {share}   {' '.join(texts[:9])}"
        )
        sys.stdout.flush()


def _signs() -> Iterator[Picture]:
    """Boards with words, numbers and prices in many sizes, none of them a plate."""
    chance = np.random.default_rng(2)
    for _ in range(_SIGNS):
        ground = tuple(int(part) for part in chance.integers(0, 256, 3))
        ink = "white" if sum(ground) < 380 else "black"
        board = Image.new("RGB", (640, 480), ground)
        draw = ImageDraw.Draw(board)
        for line in range(int(chance.integers(1, 5))):
            font = ImageFont.load_default(int(chance.integers(18, 72)))
            draw.text((int(chance.integers(0, 200)), 30 + 105 * line), _writing(chance), font=font, fill=ink)
        picture = np.array(board)[:, :, ::-1] + chance.normal(0, 4, (480, 640, 3))
        yield np.asarray(np.clip(picture, 0, 255), np.uint8)


def _writing(chance: np.random.Generator) -> str:
    word, other = (str(chance.choice(_WORDS.split())) for _ in range(2))
    number = int(chance.integers(1, 1000))
    kinds = (f"{word} {other}", word, f"{word} {number}", f"{number}.{number % 90 + 10}", f"{number % 24}:30")
    return kinds[int(chance.integers(len(kinds)))]


def _noise() -> Iterator[Picture]:
    """Grain at several scales, as cameras see at night."""
    chance = np.random.default_rng(3)
    for number in range(_NOISES):
        scale = 2 ** (number % 5)
        grain = chance.integers(0, 256, (480 // scale, 640 // scale, 3), np.uint8)
        yield np.asarray(cv2.resize(grain, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)


def _report_beside_rapidocr(folder: Path) -> None:
    """The same pictures through RapidOCR's own pipeline, turn by turn, one thread each."""
    sys.path.append(str(weights.default_carriers()))
    try:
        theirs = importlib.import_module("rapidocr_onnxruntime").RapidOCR
    except ImportError as error:
        print(f"RapidOCR's own pipeline was not timed: {error}.")
        return
    peer = theirs(intra_op_num_threads=1, inter_op_num_threads=1)
    print(f"Beside RapidOCR's own pipeline, {_BESIDE} pictures of each set, one thread, median ms:")
    for name, region in _SETS:
        places = list(_labelled(folder / name))[:: max(1, len(list(_labelled(folder / name))) // _BESIDE)]
        taken = [_both(peer, _opened(place), truth, region) for place, truth in places[:_BESIDE]]
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
