"""Run every benchmark, one process each, so that none warms or fattens another."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHMARKS = sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def main(wanted: list[str]) -> int:
    """Run those named, or all; return how many could not run."""
    failed = 0
    for name in wanted or BENCHMARKS:
        print(f"\n=== {name} ===", flush=True)
        module = f"benchmarks.{name}"
        failed += subprocess.run([sys.executable, "-m", module], cwd=HERE.parent, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
