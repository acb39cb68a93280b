"""Run every benchmark, one process each, so that none warms or fattens another; then what had a limit.

Run: python -m benchmarks [name ...]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from benchmarks._figures import KEPT_IN, Figure, kept, table

HERE = Path(__file__).parent
# The two longest, one thread each and hardly about time: together they take one of the two cores each.
TOGETHER = ("plates", "liveness")
BENCHMARKS = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run those named, or all; return how many could not run."""
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.")
        return 2
    names = wanted or BENCHMARKS
    together = TOGETHER if set(TOGETHER) <= set(names) else ()
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        for name in names:
            if name not in together:
                failed += _ran(name, figures)
        failed += _ran(together[0], figures, beside=together[1:]) if together else []
        _conclude(kept(figures), failed)
    return len(failed)


def _ran(name: str, figures: Path, *, beside: tuple[str, ...] = ()) -> list[str]:
    """Runs one, and another at the same time, whose answers come after; who could not run to the end."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        others = {other: _started(other, figures, said) for other in beside}
        failed = _told(name, _started(name, figures, None), began)
        for other, process in others.items():
            failed += _told(other, process, began, said)
    return failed


def _started(name: str, figures: Path, into: IO[bytes] | None) -> subprocess.Popen[bytes]:
    if into is None:
        print(f"\n=== {name} ===", flush=True)
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    environment = {**os.environ, KEPT_IN: str(figures)}
    return subprocess.Popen(command, cwd=HERE.parent, env=environment, stdout=into, stderr=into)


def _told(
    name: str, process: subprocess.Popen[bytes], began: float, said: IO[bytes] | None = None
) -> list[str]:
    failed = [name] if process.wait() else []
    if said is not None:
        said.seek(0)
        print(f"\n=== {name} ===\n{said.read().decode(errors='replace')}", end="")
    print(f"({name}: {time.monotonic() - began:.0f} s)", flush=True)
    return failed


def _conclude(figures: list[Figure], failed: list[str]) -> None:
    print("\n=== summary ===")
    print(table(figures))
    missed = [one.what for one in figures if one.met is False]
    print(f"\n{sum(one.met is True for one in figures)} limits met, {len(missed)} not met.")
    if failed:
        print(f"Could not run to the end: {', '.join(failed)}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
