"""How much memory a process holds with every model open and used once at its usual size."""

import subprocess
import sys

_PROBE = """
import numpy as np
from doorward.vision import weights
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
print(f"Memory: {start:.0f} MB before, {loaded:.0f} MB with all models open, {resident():.0f} MB after use")
"""


def report_memory() -> None:
    """Resident memory of a fresh process, in MB."""
    subprocess.run([sys.executable, "-c", _PROBE], check=False)
