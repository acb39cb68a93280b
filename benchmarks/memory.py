"""Memory of the real server with every model open and used, a face enrolled and found. Needs no pictures."""

import sys

from benchmarks._server_memory import report_memory
from doorward.matching import preparing
from doorward.vision import weights


def main() -> int:
    """Print it against its limit; how much could not be measured."""
    weights.prepare()
    preparing.prepare()  # as the installer does: a server that finds nothing compiled would load the compiler
    return report_memory()


if __name__ == "__main__":
    sys.exit(main())
