"""Plates of mainland China beside hyperlpr2: exact reads and time, the same pictures turn by turn."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from benchmarks._face_statistics import Share
from benchmarks._figures import Figure, tell
from benchmarks._peers import Peer, peer
from benchmarks._plate_pictures import labelled, opened
from doorward.vision import weights
from doorward.vision.plates import Region, read

_SETS = ("plates_cn_frames",)


@dataclass(slots=True)
class _Tally:
    ours: int = 0
    theirs: int = 0
    of: int = 0
    our_ms: list[float] = field(default_factory=list)
    their_ms: list[float] = field(default_factory=list)


def main() -> int:
    """Print both, for each set that is there."""
    data = Path(os.environ.get("DOORWARD_DATA", ""))
    there = [data / name for name in _SETS if "DOORWARD_DATA" in os.environ and (data / name).is_dir()]
    if not there:
        print(f"Skipped: point DOORWARD_DATA at a folder that holds {' or '.join(_SETS)}.")
        return 0
    weights.prepare()
    cv2.setNumThreads(1)
    with peer("hyperlpr2") as other:
        if other is not None:
            for folder in there:
                _compare(folder, other)
    return 0


def _compare(folder: Path, other: Peer) -> None:
    tally = _Tally()
    for place, truth in labelled(folder):
        image = opened(place)
        began, used = time.perf_counter(), time.process_time()
        found = read(image, region=Region.CN)
        tally.our_ms.append(1e3 * max(time.process_time() - used, 0.0))
        walled = 1e3 * (time.perf_counter() - began)
        answer = other.ask(place)
        theirs = str(answer.get("text", ""))
        ours = found[0].candidates[0].text if found else ""
        tally.of += 1
        tally.ours += ours == truth
        tally.theirs += theirs == truth
        tally.their_ms.append(float(answer["cpu_ms"]))
        if theirs == truth != ours:
            print(f"    only hyperlpr2 read {place.name}; ours {ours or 'nothing'} ({walled:.0f} ms)")
    if tally.of:
        _report(folder.name, tally)


def _report(name: str, tally: _Tally) -> None:
    ours, theirs = Share(tally.ours, tally.of), Share(tally.theirs, tally.of)
    our, their = float(np.median(tally.our_ms)), float(np.nanmedian(tally.their_ms))
    print(f"{name}, the surest plate exactly as annotated, processor time on one thread:")
    print(f"  ours       {ours}  {our:6.1f} ms")
    print(f"  hyperlpr2  {theirs}  {their:6.1f} ms")
    better = ours.value >= theirs.value
    tell(
        Figure(
            f"{name}: exact reads, ours / hyperlpr2",
            f"{ours.value / max(theirs.value, 1e-9):.2f}",
            ">= 1",
            better,
        )
    )
    tell(Figure(f"{name}: time, ours / hyperlpr2", f"{our / their:.2f} ({our:.0f} / {their:.0f} ms)"))


if __name__ == "__main__":
    sys.exit(main())
