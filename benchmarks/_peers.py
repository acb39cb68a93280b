"""Peers that live in an environment of their own, asked one picture at a time.

| peer | licence | here because |
|---|---|---|
| face_recognition 1.3 over dlib 20 | MIT; Boost; weights public domain | the usual face library of Python |
| hyperlpr2 2.0 | MIT | reads Chinese plates, brings its weights |
| OpenCV's FaceDetectorYN and FaceRecognizerSF | Apache-2.0 | same weights as ours, another pipeline |
| RapidOCR | Apache-2.0 | the usual text reader of Python |

None is GPL and none is shipped. Not compared: hyperlpr3 and DeepFace (their wheels hold no weights: both
download them when first used), InsightFace (weights for research only).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYTHON = HERE.parent / ".venv-peers" / "bin" / "python"
_ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}


@dataclass(frozen=True, slots=True)
class Peer:
    """A process that waits for pictures."""

    process: subprocess.Popen[str]

    def ask(self, picture: Path, **more: str) -> dict[str, Any]:
        """What it makes of one picture, with `ms` and `cpu_ms` that it took; `error` if it failed.

        A peer that ends in the middle ends the benchmark: its silence must not count as wrong answers.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"picture": str(picture), **more}) + "\n")
            self.process.stdin.flush()
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        except (OSError, ValueError) as error:
            raise SystemExit("A peer ended in the middle: nothing was compared.") from error
        return answer


@contextmanager
def peer(name: str) -> Iterator[Peer | None]:
    """The peer of that name; None, said why, where it cannot run."""
    if not PYTHON.exists():
        print(f"{name} was not compared: `make peers` makes its environment.")
        yield None
        return
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            [str(PYTHON), str(HERE / "_peer_worker.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": ""},
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline():
            yield Peer(process)
        else:
            process.wait()
            said.seek(0)
            last = said.read().strip().splitlines()[-1:]
            print(f"{name} was not compared: {last[0] if last else 'it said nothing'}")
            yield None
        with suppress(OSError):
            process.stdin.close()
