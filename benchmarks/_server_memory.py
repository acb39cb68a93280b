"""How much memory a server holds once it has seen faces and plates of every region.

The real `doorward demo` process: server, worker, and agents that look at made-up people and cars; a thread in
it then reads pictures of every region, so that every model was open and used.
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

def resident(which):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(which))

def look():
    time.sleep(25)
    started = resident("VmRSS")
    from doorward.vision.faces import observe
    from doorward.vision.plates import Region, read
    from doorward.vision.plates.rendering import approach
    for region, text in ((Region.CN, "\\u4eacA12345"), (Region.EU, "KA47TRF"), (Region.US, "7ABC123")):
        for picture in approach(text, region, seed=5, frames=6):
            read(picture, region=region)
            observe(picture)
    time.sleep(5)
    print(f"FIGURES {started:.0f} {resident('VmRSS'):.0f} {resident('VmHWM'):.0f}", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=look, daemon=True).start()
from doorward.app.cli import main
sys.argv = ["doorward", "--folder", sys.argv[1], "demo"]
main()
"""


def report_memory() -> None:
    """Resident memory in MB: of vision alone, then of a server at work."""
    subprocess.run([sys.executable, "-c", _ALONE], check=False)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        ran = subprocess.run(
            [sys.executable, "-c", _SERVER, str(site)],
            env={**os.environ, "DOORWARD_WEB__PORT": _PORT},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    figures = [line.split()[1:] for line in ran.stdout.splitlines() if line.startswith("FIGURES")]
    if not figures:
        print(f"The server's memory was not measured: {ran.stderr.strip()[-300:]}")
        return
    (busy, after, most), *_ = figures
    print(f"`doorward demo`: {busy} MB with its agents at work, {after} MB after plates of every region too")
    tell(
        Figure(
            "server with every model used, most memory ever", f"{most} MB", "<= 500 MB", int(most) <= _LIMIT
        )
    )
