"""How much memory a server holds once it has seen, enrolled and found faces, and read plates of every region.

The real `doorward serve` process, in which a thread reads pictures of every region, measures the lids of a
face, enrols it at this site and searches for it, encrypted: every model was open and used, and so were the
loops of the search; then `doorward demo`, which does its own work for a while: agents that look at made-up
people and cars.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._figures import Figure, tell

_LIMIT = 500
_PORT = "18443"
_ALONE = """
import numpy as np
from doorward.vision.sessions import session

def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS"))

SIZES = {
    "face_detector.onnx": (480, 640, 3),
    "face_recogniser.onnx": (112, 112, 3),
    "face_mesh.onnx": (256, 256, 3),
    "plates_cn_detector.onnx": (1, 3, 640, 992),
    "plates_cn_recogniser.onnx": (1, 3, 32, 320),
    "text_detector.onnx": (1, 3, 736, 960),
    "text_recogniser_v4.onnx": (1, 3, 48, 320),
    "text_recogniser_v6s.onnx": (1, 3, 48, 320),
}
start = resident()
for name in SIZES:
    session(name)
loaded = resident()
for name, shape in SIZES.items():
    given = session(name).get_inputs()[0]
    kind = np.uint8 if "uint8" in given.type else np.float32
    for _ in range(3):
        session(name).run(None, {given.name: np.zeros(shape, kind)})
print(f"Vision alone: {start:.0f} MB before, {loaded:.0f} MB with all models open,", end=" ")
print(f"{resident():.0f} MB after use", flush=True)
"""
_SERVER = """
import os, signal, sys, threading, time
from pathlib import Path

def resident(which):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(which))

def look():
    try:
        time.sleep(10)
        started = resident("VmRSS")
        if command == "serve":
            read_everything()
            enrol_and_find()
        else:
            time.sleep(40)
        print(f"FIGURES {started:.0f} {resident('VmRSS'):.0f} {resident('VmHWM'):.0f}", flush=True)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)

def read_everything():
    from doorward.vision.faces import observe
    from doorward.vision.plates import Region, read
    from doorward.vision.plates.rendering import approach
    for picture in approach("KA 47 TRF", Region.EU, seed=5, frames=6):
        for region in Region:
            read(picture, region=region)
        observe(picture)

def enrol_and_find():
    from doorward.app.house import open_house
    from doorward.people.service import NewPerson, add_person, enrol_face, identify_face
    from doorward.people.model import Basis
    from doorward.vision.decoding import load_image
    from doorward.vision.faces.rendering import render_person
    from doorward.vision.liveness.lids import mesh
    from doorward.vision.quality import assess
    photos = [assess(render_person(3, moment=100 + number)) for number in range(4)]
    seen = photos[3].observation
    assert mesh(render_person(3, moment=103), seen.detection.landmarks)
    house = open_house(Path(folder))
    with house.unit() as unit:
        person = add_person(unit, house.vault, NewPerson(name="Ada Example", basis=Basis.CONTRACT)).id
        told = enrol_face(unit, house.recogniser, person, photos[:3], basis=Basis.CONSENT, notice="1")
        assert told.enrolled
    with house.unit() as unit:
        assert identify_face(unit, house.recogniser, seen.template, one_in=200) == person

_, folder, command = sys.argv
threading.Thread(target=look, daemon=True).start()
from doorward.app.cli import main
from doorward.app.house import create_house
create_house(Path(folder)).close()
sys.argv = ["doorward", "--folder", folder, command]
main()
"""


def report_memory() -> int:
    """Resident memory in MB of vision alone, a server and the demo; how many could not be measured."""
    failed = int(subprocess.run([sys.executable, "-c", _ALONE], check=False).returncode != 0)
    for command, told in (
        ("serve", "server with every model open and used"),
        ("demo", "demo: server, five agents and drawn cameras in one process"),
    ):
        figures = _figures(command)
        if figures is None:
            failed += 1
            continue
        started, after, most = figures
        print(f"`doorward {command}`: {started} MB when started, {after} MB after its work")
        tell(Figure(f"most memory ever, {told}", f"{most} MB", f"<= {_LIMIT} MB", int(most) <= _LIMIT))
    return failed


def _figures(command: str) -> list[str] | None:
    """Megabytes when started, at the end, and the most ever."""
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(
            [sys.executable, "-c", _SERVER, str(Path(folder) / "site"), command],
            env={**os.environ, "DOORWARD_WEB__PORT": _PORT},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    figures = [line.split()[1:] for line in ran.stdout.splitlines() if line.startswith("FIGURES")]
    if not figures:
        print(f"The memory of `doorward {command}` was not measured: {ran.stderr.strip()[-300:]}")
        return None
    return figures[0]
