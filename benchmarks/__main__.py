"""Run every benchmark, one process each, so that none warms or fattens another; then what had a limit.

Run: python -m benchmarks [name ...]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks._figures import KEPT_IN, Figure, kept, table

HERE = Path(__file__).parent
BENCHMARKS = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run those named, or all; return how many could not run."""
    unknown = sorted(set(wanted) - set(BENCHMARKS))
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(BENCHMARKS)}.")
        return 2
    failed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        for name in wanted or BENCHMARKS:
            began = time.monotonic()
            print(f"\n=== {name} ===", flush=True)
            failed += [] if _ran(name, figures) else [name]
            print(f"({name} took {time.monotonic() - began:.0f} s)", flush=True)
        _conclude(kept(figures), failed)
    return len(failed)


def _ran(name: str, figures: Path) -> bool:
    environment = {**os.environ, KEPT_IN: str(figures)}
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    return subprocess.run(command, cwd=HERE.parent, env=environment, check=False).returncode == 0


def _conclude(figures: list[Figure], failed: list[str]) -> None:
    print("\n=== summary ===")
    print(table(figures))
    missed = [one.what for one in figures if one.met is False]
    print(f"\n{sum(one.met is True for one in figures)} limits met, {len(missed)} not met.")
    if failed:
        print(f"Could not run to the end: {', '.join(failed)}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
