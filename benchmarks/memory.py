"""Memory of the real server with every model open and used. Needs no pictures."""

import sys

from benchmarks._server_memory import report_memory
from doorward.vision import weights


def main() -> int:
    """Print it against its limit; how much could not be measured."""
    weights.prepare()
    return report_memory()


if __name__ == "__main__":
    sys.exit(main())
